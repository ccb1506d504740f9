/** What the lines are made of. */
export interface InstallLineFacts {
  /** `https://motoko:8443` */
  readonly server: string;
  /** SHA-256 of the public key of the TLS listener's certificate (DER SPKI), base64: what curl pins. */
  readonly keyPin: string;
  readonly token: string;
  /** What the host is to be called; `null`: as it calls itself. */
  readonly hostName: string | null;
  /** SHA-256 of each script, hex; `null`: there is none. */
  readonly scripts: { readonly linux: string | null; readonly windows: string | null };
}

/** To be pasted on the new host, as root or with sudo, and in an elevated PowerShell; `null`: that system has no agent here. */
export interface InstallLines {
  readonly linux: string | null;
  readonly windows: string | null;
}

/** Anything else might end a quoted word of either shell. */
const SAFE = /^[A-Za-z0-9:/.[\]%+=_-]+$/;

/**
 * One line for each system. It fetches the script over TLS with the pinned key, runs it only where its SHA-256 is the
 * one that stands in the line, and hands the token over by standard input. A proxy of the environment is passed by: the
 * agent dials the control plane itself too.
 *
 * @throws Error where a part cannot stand in a line
 */
export function writeInstallLines(facts: InstallLineFacts): InstallLines {
  const { server, keyPin, token, hostName, scripts } = facts;
  for (const part of [server, keyPin, token, hostName ?? 'x']) {
    if (!SAFE.test(part)) throw new Error('a part of the line has letters that a shell may take for its own');
  }
  return {
    linux: scripts.linux === null ? null : linuxLine(facts, scripts.linux),
    windows: scripts.windows === null ? null : windowsLine(facts, scripts.windows),
  };
}

function linuxLine({ server, keyPin, token, hostName }: InstallLineFacts, sha256: string): string {
  const name = hostName === null ? '' : ` --name '${hostName}'`;
  const steps = [
    'd=$(mktemp -d)',
    `trap 'rm -rf "$d"' EXIT`,
    `curl ${curlFlags(keyPin)} '${server}/install/agent.sh' -o "$d/agent.sh"`,
    `echo "${sha256}  $d/agent.sh" | sha256sum -c --quiet`,
    // printf is the shell's own: the token is on no command line.
    `printf '%s\\n' '${token}' | $(command -v sudo) sh "$d/agent.sh" --server '${server}' --pin '${keyPin}'${name}`,
  ];
  return `(${steps.join(' && ')})`;
}

function windowsLine({ server, keyPin, token, hostName }: InstallLineFacts, sha256: string): string {
  const name = hostName === null ? '' : ` --name '${hostName}'`;
  const run = '& ([scriptblock]::Create([IO.File]::ReadAllText("$d\\agent.ps1")))';
  return [
    '$d = Join-Path $env:TEMP ([guid]::NewGuid()); $null = mkdir $d; try {',
    `curl.exe ${curlFlags(keyPin)} '${server}/install/agent.ps1' -o "$d\\agent.ps1";`,
    // Windows had 7.55.1 until 2022, whose Schannel does not know of pins.
    "if ($LASTEXITCODE -in 2, 4) { throw 'nothing was run: this curl.exe cannot pin a key, which takes 7.58.1 or later: update Windows' };",
    `if ((Get-FileHash "$d\\agent.ps1" -Algorithm SHA256).Hash -eq '${sha256}') {`,
    `'${token}' | ${run} -Server '${server}' -Pin '${keyPin}'${name}`,
    "} else { throw 'agent.ps1 is not the script that was announced: nothing was run' }",
    '} finally { Remove-Item -Recurse -Force -ErrorAction SilentlyContinue $d }',
  ].join(' ');
}

/** -k: the certificate is our own; whose key it is, the pin says. -g: an IPv6 address stands in brackets. */
function curlFlags(keyPin: string): string {
  return `-gfsSk --noproxy '*' --pinnedpubkey 'sha256//${keyPin}'`;
}
