import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { isInstalled } from './is-installed.js';

/** Something that a machine must have or allow, and how it comes to that. */
export interface Need {
  readonly what: string;
  readonly fix: string;
}

/** Debian's packages. */
const PACKAGES = 'podman runc iptables containernetworking-plugins';
const INSTALL = `apt-get install --no-install-recommends ${PACKAGES}`;

/** Where distributions put what gives containers their network: netavark's folders, then CNI's. */
const NETWORK_PROGRAMS = [
  '/usr/libexec/podman/netavark',
  '/usr/lib/podman/netavark',
  '/usr/libexec/cni',
  '/usr/lib/cni',
  '/opt/cni/bin',
];

/** Of Podman: the first whose API has what the agent asks for. */
const OLDEST_MAJOR = 4;

/**
 * What this machine lacks to run `PodmanMachine`, all of it; empty where it can. It looks and tries, and changes
 * nothing.
 */
export function podmanNeeds(): readonly Need[] {
  if (process.platform !== 'linux') {
    return [{ what: `Linux, and this is ${process.platform}`, fix: 'run it on a Linux machine' }];
  }
  const needs: Need[] = [];
  if (process.getuid?.() !== 0) {
    const fix = 'run it as root: sudo env "PATH=$PATH" npm run demo -- --podman';
    needs.push({ what: 'root, for a storage, a network and a card of its own', fix });
  }
  const version = podmanMajor();
  if (version === null) needs.push({ what: 'podman', fix: INSTALL });
  else if (version < OLDEST_MAJOR) needs.push({ what: `podman 4.0 or later, not ${version}`, fix: INSTALL });
  if (!['runc', 'crun'].some(isInstalled)) needs.push({ what: 'runc or crun', fix: INSTALL });
  if (!['iptables', 'nft'].some(isInstalled)) needs.push({ what: 'iptables or nft', fix: INSTALL });
  if (!NETWORK_PROGRAMS.some((path) => existsSync(path))) {
    needs.push({ what: "Podman's network programs, netavark or CNI's", fix: INSTALL });
  }
  for (const tool of ['tar', 'ldd']) {
    if (!isInstalled(tool)) needs.push({ what: tool, fix: `install ${tool}` });
  }
  return needs.length > 0 ? needs : refusedMounts();
}

/** Root in a container often may not mount: only trying tells. */
function refusedMounts(): readonly Need[] {
  const tried = spawnSync('unshare', ['--mount', 'true'], { encoding: 'utf8', timeout: 10_000 });
  if (tried.status === 0) return [];
  const why = tried.error?.message ?? tried.stderr.trim();
  return [{ what: `the right to mount (unshare --mount: ${why})`, fix: 'run it outside of a container' }];
}

function podmanMajor(): number | null {
  const { error, stdout } = spawnSync('podman', ['--version'], { encoding: 'utf8', timeout: 60_000 });
  const major = error === undefined ? /(\d+)\./.exec(stdout)?.[1] : undefined;
  return major === undefined ? null : Number(major);
}
