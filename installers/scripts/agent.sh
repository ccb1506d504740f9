#!/bin/sh
# Installs the AI Fabric agent @VERSION@ from the control plane that it joins. What it fetches is run only where it is
# what stood here when the release was made; everything else the agent's own "install" does.
#   sh agent.sh --server https://HOST:8443 --pin KEY [options of "ai-fabric-agent install"]
# The join token comes by standard input. KEY is the SHA-256 of the control plane's public key, base64. What is unpacked
# goes to $TMPDIR, by default /var/tmp, which must let programs run.
set -eu
fail() {
  echo "agent.sh: $1" >&2
  exit 1
}
again='18 28 52 55 56' # How curl ends where a connection is cut, or stands still: what is missing is fetched then.
fetch() { # NAME: from the pinned control plane alone, past any proxy
  for tries in 1 2 3 4 5; do
    [ "$tries" = 1 ] || sleep 1
    curl -gfsSk --noproxy '*' --proto '=https' --retry 2 -C - --speed-limit 1 --speed-time 60 --pinnedpubkey "sha256//$pin" \
      "$server/install/$1" -o "$dir/$1" && return
    case " $again " in *" $? "*) ;; *) return 1 ;; esac
  done
  return 1
}

[ "${1:-}" = --server ] && [ "${3:-}" = --pin ] && [ $# -ge 4 ] || fail 'usage: sh agent.sh --server URL --pin KEY < TOKEN'
server=$2 pin=$4
shift 4
[ "$(uname -s) $(uname -m)" = 'Linux x86_64' ] || fail "this release has no agent for $(uname -s) $(uname -m)"
command -v curl >/dev/null || fail 'curl is needed, and not here: install it (apt-get install curl), then try again'

umask 077
unset NODE_OPTIONS # Of whoever pastes; the agent would take it for its own.
dir=$(mktemp -d "${TMPDIR:-/var/tmp}/ai-fabric.XXXXXX")
trap 'rm -rf "$dir"' EXIT
trap 'exit 130' INT TERM HUP

name='ai-fabric-agent-linux-x64.gz' sha256='@SHA256:ai-fabric-agent-linux-x64.gz@' unpack='gzip -dc'
smaller='@SHA256?:ai-fabric-agent-linux-x64.xz@' # Empty where the release has none.
if [ -n "$smaller" ] && command -v xz >/dev/null; then
  name='ai-fabric-agent-linux-x64.xz' sha256=$smaller unpack='xz -dc'
fi
echo "Fetching $name from $server" >&2
fetch manifest.json || fail "the manifest could not be fetched to $dir"
fetch manifest.sig 2>/dev/null || rm -f "$dir/manifest.sig" # An unsigned release has none; the agent judges that.
fetch "$name" || fail "$name could not be fetched to $dir"
echo "$sha256  $dir/$name" | sha256sum -c --quiet - >&2 || fail "$name is not what was announced: nothing was run"
$unpack "$dir/$name" >"$dir/ai-fabric-agent" || fail "$name could not be unpacked in $dir"
rm "$dir/$name"
chmod 0700 "$dir/ai-fabric-agent"
"$dir/ai-fabric-agent" install --server "$server" --token-file - --release "$dir" "$@"
