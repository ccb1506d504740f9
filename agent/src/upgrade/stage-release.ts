import { createHash } from 'node:crypto';
import { mkdir, readdir, rm, statfs, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { MAX_MANIFEST_BYTES, verifyRelease } from '@ai-fabric/shared';
import { type AgentPlatform, judgeRelease, type ReleaseVerdict } from './decide/judge-release.js';
import type { ReleaseFetch, WantedFile } from './release-fetch.js';
import { unpackArchive } from './unpack-archive.js';
import { UpgradeError } from './upgrade-error.js';

export interface StageReleaseOptions {
  readonly fetch: ReleaseFetch;
  /** For what is staged: this agent's own. */
  readonly folder: string;
  /** Of the manifest that was offered. */
  readonly manifestSha256: string;
  readonly ownVersion: string;
  readonly platform: AgentPlatform;
  /** PEM; `null` in a development build, which takes what is not signed. */
  readonly releaseKey: string | null;
  readonly signal: AbortSignal;
}

const MAX_SIGNATURE_BYTES = 1024;
/** The archive's hash is its name: a later release goes on with nothing of an earlier one. */
const archiveName = ({ sha256 }: WantedFile): string => `${sha256}.part`;

/**
 * Fetches a release, proves it, and unpacks the agent of this system beside its manifest and signature.
 *
 * @throws UpgradeError
 */
export async function stageRelease(options: StageReleaseOptions): Promise<void> {
  const { fetch, folder, platform, ownVersion, releaseKey, signal } = options;
  const manifestBytes = await fetch.small('manifest.json', MAX_MANIFEST_BYTES, signal);
  const found = manifestBytes === null ? null : createHash('sha256').update(manifestBytes).digest('hex');
  if (manifestBytes === null || found !== options.manifestSha256) {
    throw new UpgradeError(
      'release_changed',
      'The control plane has another release than the one it offered.',
    );
  }
  const signature =
    (await fetch.small('manifest.sig', MAX_SIGNATURE_BYTES, signal))?.toString('utf8') ?? null;
  const verdict = verifyRelease(manifestBytes, signature, releaseKey);
  if (!verdict.ok) throw new UpgradeError('release_refused', `The release is refused: ${verdict.detail}.`);
  await mkdir(folder, { recursive: true, mode: 0o700 });
  await keepOnly(folder, verdict.manifest.artefacts.map(archiveName));
  const { bavail, bsize } = await statfs(folder);
  const { manifest } = verdict;
  const judged = judgeRelease({
    manifest,
    ownVersion,
    platform,
    freeBytes: bavail * bsize,
    withArchive: true,
  });
  if (!judged.ok) throw new UpgradeError(judged.code, judged.detail);
  await fetchAgent(options, judged);
  await writeFile(join(folder, 'manifest.json'), manifestBytes, { flag: 'wx', mode: 0o600 });
  if (signature !== null)
    await writeFile(join(folder, 'manifest.sig'), signature, { flag: 'wx', mode: 0o600 });
}

/** @throws UpgradeError */
async function fetchAgent(
  { fetch, folder, signal }: StageReleaseOptions,
  { artefact, files }: Extract<ReleaseVerdict, { readonly ok: true }>,
): Promise<void> {
  const archive = join(folder, archiveName(artefact));
  try {
    await fetch.large(artefact, archive, signal);
    for (const file of files) {
      await unpackArchive(artefact.compression, archive, join(folder, file.name), file);
    }
  } catch (error) {
    // A part goes on where it ended; what is damaged is nothing to go on with.
    if (error instanceof UpgradeError && error.code === 'damaged') await keepOnly(folder, []);
    throw error;
  }
  await rm(archive, { force: true });
}

/** What an earlier one left is gone, but for archives that this one may go on with. */
async function keepOnly(folder: string, names: readonly string[]): Promise<void> {
  for (const name of await readdir(folder)) {
    if (!names.includes(name)) await rm(join(folder, name), { recursive: true, force: true });
  }
}
