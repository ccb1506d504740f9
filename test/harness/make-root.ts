import { spawn } from 'node:child_process';
import { copyFileSync } from 'node:fs';
import { join } from 'node:path';

/** It takes a minute where the processors are free, and there are machines on which they are not. */
const DEADLINE_MS = 900_000;
const APT = [
  'apt-get',
  ...['-o', 'Acquire::Retries=3', '-o', 'APT::Sandbox::User=root'],
  // A root that does not become whole is thrown away: not every step of it has to be on the disk.
  ...['-o', 'Dpkg::Options::=--force-unsafe-io'],
];

/** Unpacks a Debian into a folder. @throws Error with debootstrap's last words */
export function debootstrap(args: readonly string[]): Promise<void> {
  return runMaker('debootstrap', args, {});
}

/**
 * Installs packages, with what they cannot do without, into a Debian that nobody boots meanwhile.
 *
 * @throws Error with apt's last words
 */
export async function addPackages(root: string, packages: readonly string[]): Promise<void> {
  // As debootstrap did when the root was made; this machine may have come to another network since.
  copyFileSync('/etc/resolv.conf', join(root, 'etc/resolv.conf'));
  const apt = (...args: readonly string[]): Promise<void> =>
    runMaker('chroot', [root, ...APT, ...args], {
      ...{ DEBIAN_FRONTEND: 'noninteractive', LANG: 'C.UTF-8', PATH: '/usr/sbin:/usr/bin:/sbin:/bin' },
    });
  await apt('update');
  await apt('install', '--yes', '--no-install-recommends', ...packages);
}

function runMaker(
  program: string,
  args: readonly string[],
  environment: Readonly<Record<string, string>>,
): Promise<void> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, {
      ...{ env: { ...process.env, ...environment }, timeout: DEADLINE_MS },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let said = '';
    const keep = (piece: Buffer): void => {
      said = (said + piece.toString()).slice(-2_000);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    child.once('error', reject);
    child.once('close', (code, signal) => {
      if (code === 0) resolve();
      else reject(new Error(`${program} ${args.join(' ')} ended with ${code ?? signal}: ${said}`));
    });
  });
}
