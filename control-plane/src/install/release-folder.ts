import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import {
  judgeFile,
  MAX_MANIFEST_BYTES,
  type ReleaseArtefact,
  type ReleaseManifest,
  verifyRelease,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';

/** A release as it was found whole. */
export interface Release {
  readonly manifest: ReleaseManifest;
  readonly manifestBytes: Buffer;
  /** Hex. */
  readonly manifestSha256: string;
  /** `manifest.sig`; `null`: there is none. */
  readonly signature: Buffer | null;
  /** By the release key of this program; a development build has none, and takes what is unsigned. */
  readonly signed: boolean;
}

/** What is known of a file: the one that the manifest names, or what is wrong with it. */
export type FileVerdict =
  | { readonly ok: true; readonly path: string; readonly mtimeMs: number }
  | { readonly ok: false; readonly detail: string };

export interface ReleaseFolderParts {
  /** `null`: this program has none. */
  readonly directory: string | null;
  /** PEM; `null` in a development build. */
  readonly releaseKey: string | null;
  readonly log: Logger;
}

const MAX_SIGNATURE_BYTES = 4_096;
const HASH_CHUNK_BYTES = 256 * 1024;
const MANIFEST = 'manifest.json';
const SIGNATURE = 'manifest.sig';

interface Loaded {
  /** Of the manifest's file and its signature's: other ones are another release. Empty: there is no manifest. */
  readonly stamp: string;
  readonly release: Release | null;
  /** Why there is none. */
  readonly problem: string | null;
  readonly checks: Map<string, Promise<FileVerdict>>;
}

/**
 * The folder with what hosts install from. Its manifest is read when it is first asked for and again whenever it was
 * replaced; each file is hashed once, in the background, and is served only where it is the one that the manifest names.
 */
export class ReleaseFolder {
  readonly #parts: ReleaseFolderParts;
  #loaded: Loaded | null = null;
  #looking: Promise<Release | null> | null = null;

  constructor(parts: ReleaseFolderParts) {
    this.#parts = parts;
  }

  /** As it was found at the last look; `null`: none, or none that is whole. */
  get latest(): Release | null {
    return this.#loaded?.release ?? null;
  }

  /** Why there is no release. */
  get problem(): string {
    return this.#loaded?.problem ?? 'there is no release folder';
  }

  /** Reads the manifest where it changed since the last look. Never rejects. */
  look(): Promise<Release | null> {
    this.#looking ??= this.#look().finally(() => {
      this.#looking = null;
    });
    return this.#looking;
  }

  artefact(name: string): ReleaseArtefact | null {
    return this.latest?.manifest.artefacts.find((each) => each.name === name) ?? null;
  }

  /** Resolves when the file was hashed once. Never rejects. */
  check(artefact: ReleaseArtefact): Promise<FileVerdict> {
    const { directory } = this.#parts;
    const checks = this.#loaded?.checks;
    if (directory === null || checks === undefined) {
      return Promise.resolve({ ok: false, detail: this.problem });
    }
    const known = checks.get(artefact.name);
    if (known !== undefined) return known;
    const check = this.#check(join(directory, artefact.name), artefact);
    checks.set(artefact.name, check);
    return check;
  }

  /** A file that was checked is another one now. */
  forget(name: string): void {
    this.#loaded?.checks.delete(name);
  }

  async #look(): Promise<Release | null> {
    const { directory } = this.#parts;
    if (directory === null) return null;
    const manifestStamp = await stampOf(join(directory, MANIFEST));
    const stamp = manifestStamp && `${manifestStamp} ${await stampOf(join(directory, SIGNATURE))}`;
    if (stamp === this.#loaded?.stamp) return this.latest;
    this.#loaded = await this.#load(directory, stamp);
    void this.#checkAll();
    return this.latest;
  }

  async #load(directory: string, stamp: string): Promise<Loaded> {
    const { releaseKey, log } = this.#parts;
    const none = (problem: string): Loaded => ({ stamp, release: null, problem, checks: new Map() });
    if (stamp === '') return none(`${directory} holds no release: there is no ${MANIFEST} in it`);
    try {
      const manifestBytes = await readAtMost(join(directory, MANIFEST), MAX_MANIFEST_BYTES);
      const signature = await readIfThere(join(directory, SIGNATURE));
      const verdict = verifyRelease(manifestBytes, signature?.toString('utf8') ?? null, releaseKey);
      if (!verdict.ok) {
        log.error({ directory, code: verdict.code, detail: verdict.detail }, 'the release is not served');
        return none(`the release in ${directory} is not served (${verdict.code}): ${verdict.detail}`);
      }
      const { manifest, signed } = verdict;
      const { version, commit, artefacts } = manifest;
      log.info({ directory, version, commit, signed, artefacts: artefacts.length }, 'a release is served');
      const manifestSha256 = createHash('sha256').update(manifestBytes).digest('hex');
      const release = { manifest, manifestBytes, manifestSha256, signature, signed };
      return { stamp, release, problem: null, checks: new Map() };
    } catch (error) {
      log.error({ directory, error: String(error) }, 'the release cannot be read');
      return none(`the release in ${directory} cannot be read: ${String(error)}`);
    }
  }

  /** One after the other, the small ones first: scripts are asked for before what they fetch. */
  async #checkAll(): Promise<void> {
    const artefacts = [...(this.latest?.manifest.artefacts ?? [])];
    for (const artefact of artefacts.sort((one, other) => one.bytes - other.bytes))
      await this.check(artefact);
  }

  async #check(path: string, artefact: ReleaseArtefact): Promise<FileVerdict> {
    let detail: string | null;
    try {
      const { size: bytes, mtimeMs } = await stat(path);
      // What has another size need not be read.
      const sha256 = bytes === artefact.bytes ? await sha256Of(path, bytes) : '';
      detail = judgeFile(artefact, { bytes, sha256 });
      if (detail === null) return { ok: true, path, mtimeMs };
    } catch (error) {
      detail = `${artefact.name} cannot be read: ${error instanceof Error ? error.message : String(error)}`;
    }
    this.#parts.log.error({ file: path, detail }, 'a file of the release is not served');
    return { ok: false, detail };
  }
}

/** Empty: there is no such file. */
async function stampOf(path: string): Promise<string> {
  try {
    const { mtimeMs, size, ino } = await stat(path);
    return `${mtimeMs} ${size} ${ino}`;
  } catch {
    return '';
  }
}

/** @throws Error where it is longer, or cannot be read */
async function readAtMost(path: string, maxBytes: number): Promise<Buffer> {
  const file = await open(path);
  try {
    if ((await file.stat()).size > maxBytes) throw new Error(`it has more than ${maxBytes} bytes`);
    return await file.readFile();
  } finally {
    await file.close();
  }
}

async function readIfThere(path: string): Promise<Buffer | null> {
  try {
    const text = await readFile(path);
    return text.length > MAX_SIGNATURE_BYTES ? null : text;
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return null;
    throw error;
  }
}

async function sha256Of(path: string, bytes: number): Promise<string> {
  const hash = createHash('sha256');
  if (bytes === 0) return hash.digest('hex');
  // A file that grows meanwhile is read no further.
  for await (const chunk of createReadStream(path, { end: bytes - 1, highWaterMark: HASH_CHUNK_BYTES })) {
    hash.update(chunk as Buffer);
  }
  return hash.digest('hex');
}
