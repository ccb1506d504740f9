#!/bin/sh
# Installs, upgrades and removes the control plane of AI Fabric as a service of this machine. Fetches nothing.
# What it does is done by the program in the archive ("ai-fabric service --help"); here it is unpacked and compared.
set -eu
# The service's user has to get at its program, whatever whoever installs keeps to themselves.
umask 022

usage() {
  cat <<'END'
Usage: install-control-plane.sh [ARCHIVE] [options]

Installs the control plane as the service ai-fabric; over an older version it upgrades it, after a backup, and goes back
by itself where the newer one does not come up. ARCHIVE is ai-fabric-control-plane-linux-x64.tar.gz or the folder that
came out of it; left out, it is the one that this script lies in or beside. Run it again whenever you like.

  --host ADDRESS...            listen on these, and on 127.0.0.1 (default: all). An address that is not there yet, such as
                               a tailnet's before its daemon is up, is waited for
  --port N, --tls-port N       other ports than 8000 (clients of /v1) and 8443 (agents, control API)
  --replace-litellm [FILE]     import the configuration of this machine's LiteLLM proxy (or FILE), run beside it, show
                               what came of it, and take its port over after a yes; --litellm-unit NAME: its service
  --undo-replace-litellm       give that proxy its port back
  --rollback [--registry]      return to the version before the last upgrade; with its registry, where that is needed
                               or asked for
  --uninstall [--purge]        remove it; with configuration, data and user
  --release-key FILE           the public half of the release key, PEM: the archive has to be signed by it (with openssl).
                               An upgrade of a signed version asks for that in any case, by the key built into it
  --yes                        do not ask
  --dry-run                    say what would be done, and change nothing
  --wait SECONDS               how long the service may take until it answers (default: 90)
  --root DIR                   prepare an image: nothing is started
  --json                       print the outcome as JSON
  --help

Exit codes: 0 done; 1 failed, with the version of before running again where it was an upgrade; 2 wrong usage;
4 refused, nothing was changed.
END
}

fail() { # message, fix, exit code
  printf 'error: %s\nfix: %s\n' "$1" "$2" >&2
  exit "$3"
}

archive=
case ${1-} in '' | -*) ;; *)
  archive=$1
  shift
  ;;
esac

verb=install
image=
release_key=
left=$#
while [ "$left" -gt 0 ]; do
  argument=$1
  shift
  left=$((left - 1))
  case $argument in
    -h | --help)
      usage
      exit 0
      ;;
    --rollback) verb=rollback ;;
    --uninstall) verb=uninstall ;;
    --undo-replace-litellm) verb=undo-replace-litellm ;;
    --release-key=*) release_key=${argument#*=} ;;
    --release-key)
      [ "$left" -gt 0 ] || fail '--release-key names no file' '--release-key release-key.pub.pem' 2
      release_key=$1
      shift
      left=$((left - 1))
      ;;
    --root | --root=*)
      image=yes
      set -- "$@" "$argument"
      ;;
    *) set -- "$@" "$argument" ;;
  esac
done

[ "$(uname -s)" = Linux ] || fail "this is $(uname -s); the archive is for Linux" 'run it on a Linux machine' 4
case $(uname -m) in
  x86_64 | amd64) ;;
  *) fail "this machine is $(uname -m); the archive is for x86-64" 'use a checkout there: npm start' 4 ;;
esac

here=$(CDPATH='' cd -- "$(dirname -- "$0")" && pwd -P)
installed=/opt/ai-fabric/current
if [ -z "$archive" ]; then
  # What is there is removed and taken back by itself: an archive that lies beside is not proven by anybody.
  if [ "$verb" != install ] && [ -z "$image" ] && [ -x "$installed/bin/ai-fabric" ]; then
    archive=$(CDPATH='' cd -- "$installed" && pwd -P)
  elif [ -x "$here/bin/ai-fabric" ]; then
    archive=$here
  elif [ -f "$here/ai-fabric-control-plane-linux-x64.tar.gz" ]; then
    archive=$here/ai-fabric-control-plane-linux-x64.tar.gz
  else
    fail 'there is no archive here' 'name it: install-control-plane.sh ai-fabric-control-plane-linux-x64.tar.gz' 2
  fi
fi

scratch=
trap '[ -z "$scratch" ] || rm -rf "$scratch"' EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

if [ -f "$archive" ]; then
  scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/ai-fabric.XXXXXX")
  tar -x -z -o -f "$archive" -C "$scratch" ||
    fail "$archive cannot be unpacked" "fetch it again, and make room in ${TMPDIR:-/var/tmp}" 1
  folder=
  for each in "$scratch"/*/; do folder=${each%/}; done
elif [ -d "$archive" ]; then
  folder=$(CDPATH='' cd -- "$archive" && pwd -P)
else
  fail "$archive is not there" 'name the archive, or the folder that came out of it' 2
fi

# Before anything of it runs.
[ -f "$folder/SHA256SUMS" ] || fail "$archive is no control plane: SHA256SUMS is missing" 'fetch it again' 4
differs=$(cd "$folder" && sha256sum -c SHA256SUMS 2>&1 | grep -v ': OK$') || true
[ -z "$differs" ] || fail "$archive is not what was packed:
$differs" 'fetch it again, from where you got it; nothing was changed' 4

if [ -n "$release_key" ]; then
  [ -f "$release_key" ] || fail "$release_key is not there" 'name the public half of the release key, PEM' 2
  command -v openssl >/dev/null || fail 'there is no openssl here to prove a signature with' 'install it (Debian: apt-get install openssl)' 4
  [ -f "$folder/SHA256SUMS.sig" ] || fail "$archive is not signed" 'it is a development build; leave --release-key out to take it all the same' 4
  [ -n "$scratch" ] || scratch=$(mktemp -d "${TMPDIR:-/var/tmp}/ai-fabric.XXXXXX")
  base64 -d <"$folder/SHA256SUMS.sig" >"$scratch/signature" 2>/dev/null || true
  openssl pkeyutl -verify -pubin -inkey "$release_key" -rawin -in "$folder/SHA256SUMS" \
    -sigfile "$scratch/signature" >/dev/null 2>&1 ||
    fail "$archive is not signed by $release_key" 'fetch it again, from where you got it; nothing was changed' 4
fi
# By the version that runs, and not by what is to be judged.
if [ "$verb" = install ] && [ -z "$image" ] && [ -x "$installed/bin/ai-fabric" ]; then
  "$installed/bin/ai-fabric" service verify "$folder" >/dev/null || exit $?
fi

"$folder/bin/ai-fabric" --version >/dev/null ||
  fail "the program of $archive does not start here" 'it needs glibc 2.28 or newer (Debian 10, RHEL 8)' 4

# Held until the last program that has it ends.
if [ "$(id -u)" = 0 ] && [ -z "$image" ] && command -v flock >/dev/null; then
  exec 9>/run/ai-fabric-install.lock
  flock -n 9 || fail 'another install or removal of the control plane goes on here' 'wait for its end, and run it again' 4
fi
case $verb in install) set -- --archive "$folder" "$@" ;; esac
code=0
"$folder/bin/ai-fabric" service "$verb" "$@" || code=$?
exit "$code"
