import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { SetupFailure } from '../checkout/setup-failure.mjs';
import { takeSetupLock } from '../checkout/setup-lock.mjs';
import { makeAgents } from './agent-artefacts.mjs';
import { measureBytes } from './archives.mjs';
import { makeControlPlane } from './control-plane-artefact.mjs';
import { fillScript } from './decide/fill-script.mjs';
import { forgetMade } from './package-cache.mjs';
import { gatherFacts } from './release-facts.mjs';
import { replaceFolder } from './replace-folder.mjs';

/** In installers/; each is served to those who install. One checks the agent that it fetches: without that it is left out. */
const SCRIPTS = [
  { path: 'scripts/agent.sh', agentFor: 'linux' },
  { path: 'scripts/agent.ps1', agentFor: 'windows' },
  { path: 'install-control-plane.sh', agentFor: null },
];

/**
 * @typedef {import('./agent-artefacts.mjs').MadeArtefact} MadeArtefact
 * @typedef {import('./archives.mjs').Member} Member
 * @typedef {import('../../shared/dist/index.js').ReleaseManifest} ReleaseManifest
 *
 * @typedef {object} PackageWish
 * @property {string} out the release folder
 * @property {string | null} keyFile signs the release; without one it is a development build
 * @property {string | null} version another than the packages say, to rehearse an upgrade
 * @property {'all' | 'agent' | 'agent-linux' | 'agent-windows'} only
 * @property {boolean} xz where this machine has it
 * @property {boolean} fresh nothing that was made before is taken
 *
 * @typedef {object} Packaged
 * @property {string} out
 * @property {ReleaseManifest} manifest
 * @property {Readonly<Record<string, number>>} startMs by artefact, of those whose program runs here
 */

/**
 * Makes a release folder. What was made before of the same sources is taken from the cache.
 *
 * @param {string} root of the checkout, which is compiled
 * @param {PackageWish} wish
 * @param {import('../checkout/progress.mjs').Progress} progress
 * @returns {Promise<Packaged>}
 * @throws {SetupFailure}
 */
export async function packageRelease(root, wish, progress) {
  if (process.platform !== 'linux' || process.arch !== 'x64') {
    throw new SetupFailure(
      `Releases are packaged on Linux on x64 (this is ${process.platform} on ${process.arch}).`,
    );
  }
  const cache = join(root, '.data', 'package-cache');
  mkdirSync(cache, { recursive: true });
  const lock = await takeSetupLock(join(cache, 'package.lock'), (reason) => progress.step(reason));
  const folder = mkdtempSync(join(tmpdir(), 'ai-fabric-package-'));
  try {
    if (wish.fresh) forgetMade(cache);
    return await makeRelease({ root, cache, folder, wish, progress });
  } finally {
    rmSync(folder, { recursive: true, force: true });
    lock.release();
  }
}

/**
 * @param {{ root: string, cache: string, folder: string, wish: PackageWish, progress: import('../checkout/progress.mjs').Progress }} making
 * @returns {Promise<Packaged>}
 */
async function makeRelease({ root, cache, folder, wish, progress }) {
  const facts = await gatherFacts(root, wish);
  const { build, version } = facts;
  const agents = await makeAgents(
    { root, cache, folder, build, version, progress },
    { linux: wish.only !== 'agent-windows', windows: wish.only !== 'agent-linux', xz: wish.xz },
  );
  const scripts = readScripts(root, { version, artefacts: agents.map(({ entry }) => entry) });
  const members = [...agents.map(memberOf), ...scripts];
  const entries = [...agents.map(({ entry }) => entry), ...scripts.map(entryOfScript)];
  const served = describeRelease(facts, entries);
  const controlPlane =
    wish.only === 'all'
      ? await makeControlPlane({ root, cache, folder, facts, progress }, { members, scripts, ...served })
      : null;
  const whole = controlPlane === null ? served : describeRelease(facts, [...entries, controlPlane.entry]);
  progress.step(`writing ${wish.out}`);
  const content = controlPlane === null ? members : [...members, memberOf(controlPlane)];
  replaceFolder(wish.out, (draft) => {
    for (const member of [...content, ...whole.signed]) place(draft, member);
  });
  const measured = controlPlane === null ? agents : [...agents, controlPlane];
  const startMs = measured.flatMap(({ entry, startMs }) => (startMs === null ? [] : [[entry.name, startMs]]));
  return { out: wish.out, manifest: whole.manifest, startMs: Object.fromEntries(startMs) };
}

/**
 * @param {string} root
 * @param {{ version: string, artefacts: readonly ReleaseManifest['artefacts'][number][] }} release
 * @returns {(Member & { content: Buffer })[]}
 */
function readScripts(root, release) {
  const isOf = (/** @type {string | null} */ os) =>
    os === null || release.artefacts.some((each) => each.kind === 'agent' && each.os === os);
  return SCRIPTS.filter(({ agentFor }) => isOf(agentFor))
    .map(({ path }) => ({ name: basename(path), path: join(root, 'installers', path) }))
    .filter(({ path }) => existsSync(path))
    .map(({ name, path }) => ({
      name,
      mode: 0o755,
      content: Buffer.from(fillScript(readFileSync(path, 'utf8'), release)),
    }));
}

/**
 * @param {{ name: string, content: Buffer }} script
 * @returns {import('../../shared/dist/index.js').ReleaseArtefact}
 */
function entryOfScript({ name, content }) {
  const os = name.endsWith('.ps1') ? 'windows' : 'linux';
  const kind = /** @type {const} */ ('script');
  return { name, kind, os, architecture: null, compression: null, ...measureBytes(content), files: [] };
}

/**
 * @param {import('./release-facts.mjs').ReleaseFacts} facts
 * @param {ReleaseManifest['artefacts']} artefacts
 * @returns {{ manifest: ReleaseManifest, signed: (Member & { content: Buffer })[] }} with the files that say so
 */
function describeRelease({ shared, version, commit, key, keySha256 }, artefacts) {
  const manifest = shared.releaseManifestSchema.parse({
    ...{
      format: shared.RELEASE_FORMAT,
      version,
      commit,
      builtAt: new Date().toISOString(),
      keySha256,
      artefacts,
    },
    protocol: shared.PROTOCOL_VERSION,
    oldestProtocol: shared.OLDEST_PROTOCOL_VERSION,
  });
  const text = Buffer.from(`${JSON.stringify(manifest, null, 2)}\n`);
  const signed = [{ name: 'manifest.json', mode: 0o644, content: text }];
  if (key !== null)
    signed.push({ name: 'manifest.sig', mode: 0o644, content: Buffer.from(`${key.sign(text)}\n`) });
  return { manifest, signed };
}

/**
 * @param {MadeArtefact} made
 * @returns {Member}
 */
function memberOf({ entry, path }) {
  return { name: entry.name, mode: 0o644, content: { path } };
}

/**
 * @param {string} folder
 * @param {Member} member
 */
function place(folder, { name, mode, content }) {
  const file = join(folder, name);
  if (Buffer.isBuffer(content)) writeFileSync(file, content, { mode });
  else copyFileSync(content.path, file);
}
