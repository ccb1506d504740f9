import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

/** Where a program finds its workers and migrations: `find-worker.ts` and `migrate-registry.ts` of the control plane. */
const PROGRAM = 'lib/control-plane/dist/program';
const MIGRATIONS = 'lib/control-plane/migrations';
const MODULES = 'lib/control-plane/node_modules';

/**
 * @typedef {import('./archives.mjs').Member} Member
 * @typedef {object} ArchiveParts
 * @property {string} root of the checkout
 * @property {string} version
 * @property {string} nodeFolder the pinned Node for Linux
 * @property {string} programFolder the bundled program
 * @property {string} nativeFolder see `provideNativePart`
 * @property {string} licences of what is in it
 * @property {readonly Member[]} release what is served to hosts, under `release/`
 * @property {readonly Member[]} installer what puts it in its place, from the archive's root
 */

/**
 * What the control plane's archive holds. It runs from wherever it is unpacked, and needs nothing of the machine but
 * the C and C++ libraries that Node needs.
 *
 * @param {ArchiveParts} parts
 * @returns {Member[]} with names from the archive's root folder
 */
export function listControlPlaneMembers(parts) {
  const { root, version, nodeFolder, programFolder, nativeFolder, licences, release, installer } = parts;
  const manifest = { name: '@ai-fabric/control-plane', version, private: true, type: 'module' };
  return [
    { name: 'bin/ai-fabric', mode: 0o755, content: Buffer.from(launcher(root)) },
    { name: 'node/bin/node', mode: 0o755, content: { path: join(nodeFolder, 'bin', 'node') } },
    {
      name: 'lib/control-plane/package.json',
      mode: 0o644,
      content: Buffer.from(`${JSON.stringify(manifest)}\n`),
    },
    ...filesBelow(programFolder, PROGRAM),
    ...filesBelow(join(root, 'migrations'), MIGRATIONS),
    ...filesBelow(nativeFolder, MODULES),
    ...release.map((member) => ({ ...member, name: `release/${member.name}` })),
    ...installer,
    { name: 'README', mode: 0o644, content: Buffer.from(readme(version)) },
    { name: 'LICENSE', mode: 0o644, content: { path: join(root, 'LICENSE') } },
    { name: 'THIRD-PARTY-LICENSES', mode: 0o644, content: Buffer.from(licences) },
  ];
}

/**
 * @param {string} root
 * @returns {string} a script of any shell
 */
function launcher(root) {
  return `#!/bin/sh
# Starts AI Fabric with the Node that came with it, wherever both lie.
set -eu
home=$(dirname "$(dirname "$(readlink -f "$0")")")
exec "$home/node/bin/node" ${nodeFlags(root).join(' ')} "$home/${PROGRAM}/main.js" "$@"
`;
}

/**
 * Those that the checkout's program starts Node with, and that are measured there.
 *
 * @param {string} root
 */
function nodeFlags(root) {
  const [firstLine = ''] = readFileSync(join(root, 'control-plane', 'bin', 'ai-fabric.js'), 'utf8').split(
    '\n',
    1,
  );
  return firstLine.match(/ --\S+/g)?.map((flag) => flag.trim()) ?? [];
}

/** @param {string} version */
function readme(version) {
  return `AI Fabric ${version}: the control plane, for Linux on x64.

It runs from wherever it is unpacked, with a Node of its own:

  bin/ai-fabric up --data DIRECTORY
  bin/ai-fabric --help

As a service: sudo sh install-control-plane.sh (where it is part of this archive).
release/ holds what hosts are served under /install/: agents for Linux and Windows.
It needs glibc 2.28 or later and libstdc++, as Debian 10, Ubuntu 20.04 and RHEL 8 have them.
`;
}

/**
 * @param {string} folder
 * @param {string} under
 * @returns {Member[]} sorted by name
 */
export function filesBelow(folder, under) {
  if (!existsSync(folder)) return [];
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((file) => statSync(join(folder, file)).isFile())
    .sort()
    .map((file) => ({
      name: `${under}/${file.replaceAll('\\', '/')}`,
      mode: 0o644,
      content: { path: join(folder, file) },
    }));
}
