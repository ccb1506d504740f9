import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { addPackages, debootstrap } from './make-root.js';
import type { RealPart } from './real-part.js';

const SUITE = 'bookworm';
const KEYRING = '/usr/share/keyrings/debian-archive-keyring.gpg';
const USUAL_MIRROR = 'http://deb.debian.org/debian';

/** Beside what a Debian has at least: systemd as it boots, its bus, polkit, and the tools that agents call. */
const PACKAGES = [
  'systemd',
  'systemd-sysv',
  'libpam-systemd',
  'dbus',
  'polkitd',
  'libglib2.0-bin',
  'iproute2',
  'ethtool',
  'kmod',
  'procps',
  'ca-certificates',
  'curl',
];

/** They would wake up in the middle of a test, and look for what is not there. */
const SILENT_UNITS = [
  'apt-daily.timer',
  'apt-daily-upgrade.timer',
  'dpkg-db-backup.timer',
  'e2scrub_all.timer',
  'e2scrub_reap.service',
  'fstrim.timer',
  'systemd-resolved.service',
  'systemd-networkd-wait-online.service',
  'systemd-timesyncd.service',
];

/** What changes the root: another recipe makes another one. */
const RECIPE_VERSION = 1;
/** Of the checkout, whether this file runs from its source or compiled. */
const CACHE = join(checkout(import.meta.dirname), '.data', 'systemd-root');

/** Debian with systemd in a container of systemd-nspawn. */
export const systemd: RealPart = {
  name: 'systemd in nspawn',
  absence: () => {
    if (process.platform !== 'linux') return 'this is not Linux';
    if (process.getuid?.() !== 0) return 'this user is not root';
    for (const tool of ['systemd-nspawn', 'debootstrap', 'nsenter']) {
      if (spawnSync('sh', ['-c', `command -v ${tool}`], { timeout: 10_000 }).status === 0) continue;
      return `${tool} is not installed (apt-get install --no-install-recommends debootstrap systemd-container)`;
    }
    return existsSync(rootPath()) ? null : unreachableMirror();
  },
  required: true,
  alone: 'systemd',
};

/** For who boots one and then waits most of the time: beside those that have theirs for themselves. */
export const idleSystemd: RealPart = { name: systemd.name, absence: systemd.absence, required: true };

/** The root file system alone, for who boots none. */
export const debianRoot: RealPart = {
  name: 'a Debian of debootstrap',
  absence: systemd.absence,
  required: true,
};

/** The same with packages beside the usual ones: they have to be had once. */
export function debianWith(packages: readonly string[]): RealPart {
  return {
    name: `a Debian with ${packages[0]}`,
    absence: () => (existsSync(rootPath(packages)) ? null : unreachableMirror()),
    required: true,
  };
}

/**
 * A Debian's root file system, as it is before its first boot. It is made once, which takes about a minute, and kept:
 * whoever boots it boots a copy.
 *
 * @param packages that it has beside the usual ones, with what they need
 * @throws Error with the last words of debootstrap or apt
 */
export async function providePristineRoot(packages: readonly string[] = []): Promise<string> {
  const path = rootPath(packages);
  if (existsSync(path)) return path;
  mkdirSync(CACHE, { recursive: true });
  const base = packages.length === 0 ? null : await providePristineRoot();
  const making = mkdtempSync(join(CACHE, 'making-'));
  try {
    if (base === null) await unpack(making);
    else await extend(base, making, packages);
    settle(making);
    // Whole or not at all. Another test run may have been quicker: its root is as good.
    if (!existsSync(path)) renameSync(making, path);
    return path;
  } finally {
    unmountBelow(making);
    rmSync(making, { recursive: true, force: true, maxRetries: 5 });
  }
}

/** What was cut off leaves things mounted, and nothing of what is mounted may be removed with its folder. */
export function unmountBelow(folder: string): void {
  const mounted = readFileSync('/proc/self/mounts', 'utf8')
    .split('\n')
    .map((line) => line.split(' ')[1] ?? '')
    .filter((path) => path.startsWith(`${folder}/`));
  for (const path of mounted.reverse()) spawnSync('umount', ['--lazy', path], { stdio: 'ignore' });
}

function checkout(folder: string): string {
  if (existsSync(join(folder, 'pnpm-workspace.yaml'))) return folder;
  const above = dirname(folder);
  if (above === folder) throw new Error('these tests are in no checkout');
  return checkout(above);
}

function rootPath(packages: readonly string[] = []): string {
  const recipe = JSON.stringify([
    ...[RECIPE_VERSION, SUITE, PACKAGES, SILENT_UNITS],
    ...(packages.length === 0 ? [] : [packages]),
  ]);
  return join(CACHE, `${SUITE}-${createHash('sha256').update(recipe).digest('hex').slice(0, 12)}`);
}

function unpack(folder: string): Promise<void> {
  return debootstrap([
    '--variant=minbase',
    ...(existsSync(KEYRING) ? [`--keyring=${KEYRING}`] : []),
    `--include=${PACKAGES.join(',')}`,
    ...[SUITE, folder, mirror()],
  ]);
}

async function extend(base: string, folder: string, packages: readonly string[]): Promise<void> {
  const copied = spawnSync('cp', ['--archive', '--reflink=auto', `${base}/.`, folder], { encoding: 'utf8' });
  if (copied.status !== 0) throw new Error(`${base} could not be copied: ${copied.stderr}`);
  await addPackages(folder, packages);
}

/** As a machine that was just unpacked: no identity, a journal that outlives a boot, and nothing that wakes by itself. */
function settle(root: string): void {
  const archives = join(root, 'var/cache/apt/archives');
  for (const file of readdirSync(archives)) {
    if (file.endsWith('.deb')) rmSync(join(archives, file));
  }
  rmSync(join(root, 'var/lib/apt/lists'), { recursive: true, force: true });
  mkdirSync(join(root, 'var/lib/apt/lists/partial'), { recursive: true });
  rmSync(join(root, 'var/lib/dbus/machine-id'), { force: true });
  writeFileSync(join(root, 'etc/machine-id'), '');
  mkdirSync(join(root, 'var/log/journal'), { recursive: true });
  const masked = spawnSync('systemctl', [`--root=${root}`, 'mask', ...SILENT_UNITS], { encoding: 'utf8' });
  if (masked.status !== 0) throw new Error(`units of ${root} could not be masked: ${masked.stderr}`);
}

/** The mirror that this machine itself uses: where it can be reached is known. */
function mirror(): string {
  const folder = '/etc/apt/sources.list.d';
  const lists = existsSync(folder) ? readdirSync(folder).map((file) => join(folder, file)) : [];
  for (const file of ['/etc/apt/sources.list', ...lists]) {
    if (!existsSync(file)) continue;
    const text = readFileSync(file, 'utf8');
    const found = /^(?:deb(?: \[[^\]]*\])?|URIs:)\s+(https?:\/\/\S+\/debian)\/?(?:\s|$)/m.exec(text)?.[1];
    if (found !== undefined) return found;
  }
  return USUAL_MIRROR;
}

function unreachableMirror(): string | null {
  const release = `${mirror()}/dists/${SUITE}/InRelease`;
  const args = ['--quiet', '--spider', '--tries=2', '--timeout=10', release];
  if (spawnSync('wget', args, { timeout: 30_000 }).status === 0) return null;
  return `there is no root file system yet, and ${release} cannot be had to make one`;
}
