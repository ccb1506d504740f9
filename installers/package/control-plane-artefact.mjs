import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { bundlePackagedControlPlane } from '../checkout/bundle-programs.mjs';
import { captureProgram } from '../checkout/programs.mjs';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { keepArtefact, keyOf } from './agent-artefacts.mjs';
import { measureBytes, measureFile, writeTarGzip } from './archives.mjs';
import { filesBelow, listControlPlaneMembers } from './control-plane-archive.mjs';
import { fetchPackage } from './fetch-package.mjs';
import { provideNativePart } from './native-part.mjs';
import { nodeForLinux } from './pinned-packages.mjs';
import { proveStart } from './prove-start.mjs';
import { gatherLicences } from './third-party-licences.mjs';

const NAME = 'ai-fabric-control-plane-linux-x64.tar.gz';
/** What a manifest says of an archive: its programs. */
const PROGRAMS = /^(?:bin\/ai-fabric|node\/bin\/node|.*\.node|install-control-plane\.sh)$/;
const CHECKSUMS = 'SHA256SUMS';
/** Of all files in it: the same sources give the same archive. 2026-01-01. */
const MTIME_SECONDS = 1_767_225_600;

/**
 * @typedef {import('./agent-artefacts.mjs').MadeArtefact} MadeArtefact
 * @typedef {import('./archives.mjs').Member} Member
 *
 * @typedef {object} ControlPlaneMaking
 * @property {string} root
 * @property {string} cache
 * @property {string} folder for what is made meanwhile
 * @property {import('./release-facts.mjs').ReleaseFacts} facts
 * @property {import('../checkout/progress.mjs').Progress} progress
 *
 * @typedef {object} ServedRelease what hosts are served by it
 * @property {readonly Member[]} members
 * @property {readonly Member[]} scripts those among them
 * @property {readonly Member[]} signed its manifest and signature
 */

/**
 * The control plane as an archive, once for what it is made of.
 *
 * @param {ControlPlaneMaking} making
 * @param {ServedRelease} served
 * @returns {Promise<MadeArtefact>}
 */
export async function makeControlPlane({ root, cache, folder, facts, progress }, served) {
  const { version, build } = facts;
  const nodeFolder = await fetchPackage(cache, nodeForLinux);
  progress.step('bundling the control plane');
  const programFolder = join(folder, 'control-plane');
  const files = await bundlePackagedControlPlane(root, programFolder, build);
  progress.step('compiling better-sqlite3 for the Node that is shipped (once, a minute or two)');
  const nativeFolder = await provideNativePart(root, cache, nodeFolder);
  const natives = readdirSync(nativeFolder).map((name) => join(nativeFolder, name));
  const members = listControlPlaneMembers({
    ...{ root, version, nodeFolder, programFolder, nativeFolder },
    licences: gatherLicences(files, [nodeFolder, ...natives]),
    release: served.members,
    installer: [
      ...served.scripts.filter(({ name }) => name === 'install-control-plane.sh'),
      ...filesBelow(join(root, 'installers', 'systemd'), 'systemd'),
    ],
  });
  // Not by the manifest within: it says when it was made, which changes nothing.
  const key = keyOf([build, facts.keySha256 ?? '', CHECKSUMS, ...(await Promise.all(members.map(standFor)))]);
  return keepArtefact(cache, NAME, key, async (draft, file) => {
    progress.step('packing the control plane');
    const signed = served.signed.map((member) => ({ ...member, name: `release/${member.name}` }));
    const within = `ai-fabric-${version}`;
    const content = await withChecksums([...members, ...signed], facts.key);
    const all = content.map((member) => ({ ...member, name: `${within}/${member.name}` }));
    await writeTarGzip(file, all, MTIME_SECONDS);
    progress.step('starting the control plane from its archive');
    const startMs = await proveArchive(file, join(draft, 'unpacked'), within, version);
    return { startMs, entry: { ...describe(), files: await describePrograms(members) } };
  });
}

function describe() {
  return /** @type {const} */ ({
    kind: 'control-plane',
    os: 'linux',
    architecture: 'x64',
    compression: 'gzip',
  });
}

/** @param {readonly Member[]} members */
function describePrograms(members) {
  const programs = members.filter(({ name }) => PROGRAMS.test(name));
  return Promise.all(programs.map(async ({ name, content }) => ({ name, ...(await measure(content)) })));
}

/**
 * With the list that the installer compares them with before it runs any of them, and its signature.
 *
 * @param {readonly Member[]} members
 * @param {import('./release-key.mjs').ReleaseKey | null} key
 * @returns {Promise<Member[]>}
 */
async function withChecksums(members, key) {
  const lines = await Promise.all(
    members.map(async ({ name, content }) => `${(await measure(content)).sha256}  ${name}\n`),
  );
  const list = Buffer.from(lines.join(''));
  const signature = key === null ? [] : [Buffer.from(`${key.sign(list)}\n`)];
  return [
    ...members,
    { name: CHECKSUMS, mode: 0o644, content: list },
    ...signature.map((content) => ({ name: `${CHECKSUMS}.sig`, mode: 0o644, content })),
  ];
}

/** @param {Member} member */
async function standFor({ name, mode, content }) {
  return `${name} ${mode} ${(await measure(content)).sha256}`;
}

/** @param {Member['content']} content */
async function measure(content) {
  return Buffer.isBuffer(content) ? measureBytes(content) : measureFile(content.path);
}

/**
 * @param {string} archive
 * @param {string} folder
 * @param {string} within
 * @param {string} version
 */
async function proveArchive(archive, folder, within, version) {
  mkdirSync(folder);
  const { exitCode, output } = await captureProgram('tar', ['-xzf', archive, '-C', folder], folder);
  if (exitCode !== 0)
    throw new SetupFailure(`The archive cannot be unpacked (exit code ${exitCode}):\n${output}`);
  try {
    return await proveStart(join(folder, within, 'bin', 'ai-fabric'), [], version);
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}
