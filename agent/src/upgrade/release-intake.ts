import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, open, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { judgeFile, MAX_MANIFEST_BYTES, type UpgradeMode } from '@ai-fabric/shared';
import { takePlace } from '../identity/take-place.js';
import { parseConsent } from './consent.js';
import { openPlainFile, readPlainFile } from './read-plain-file.js';
import { syncFolder } from './sync-folder.js';
import { UpgradeError } from './upgrade-error.js';
import type { UpgradeIntake } from './upgrade-system.js';

/** Where releases come from and go to, as this system writes its paths. */
export interface IntakeFolders {
  /** The agent's: what it fetched. */
  readonly staged: string;
  /** What is being taken in, not proven yet; beside the versions, on one disk with them. */
  readonly incoming: string;
  readonly versions: string;
  /** File with the owner's yes. */
  readonly consent: string;
  /** Of a version, by its name. */
  version(name: string): string;
}

export interface ReleaseIntakeOptions {
  readonly folders: IntakeFolders;
  /** As agent.yaml says, read where the agent cannot write. */
  readonly readMode: () => Promise<UpgradeMode>;
  /** The file that is run. */
  readonly programName: string;
  /** Where a path is on the machine that works: there itself, but in tests. */
  readonly locate: (path: string) => string;
}

const MAX_SIGNATURE_BYTES = 1024;
const MAX_CONSENT_BYTES = 1024;
const PIECE_BYTES = 256 * 1024;

/** What the agent staged in its state folder is copied to where versions lie, and proven there. */
export function releaseIntake(options: ReleaseIntakeOptions): UpgradeIntake {
  const { folders, readMode, locate: at } = options;
  const staged = (name: string): string => join(at(folders.staged), name);
  return {
    mode: readMode,
    approvedSha256: async () => {
      const text = await readPlainFile(at(folders.consent), MAX_CONSENT_BYTES);
      return text === null ? null : parseConsent(text.toString('utf8'));
    },
    staged: async () => {
      const manifestBytes = await readPlainFile(staged('manifest.json'), MAX_MANIFEST_BYTES);
      if (manifestBytes === null) return null;
      const signature = await readPlainFile(staged('manifest.sig'), MAX_SIGNATURE_BYTES);
      return { manifestBytes, signature: signature?.toString('utf8') ?? null };
    },
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(dirname(at(folders.versions)));
      return bavail * bsize;
    },
    place: async ({ name, files, manifestBytes, signature }) => {
      const incoming = at(folders.incoming);
      await rm(incoming, { recursive: true, force: true });
      await mkdir(incoming, { mode: 0o700 });
      try {
        for (const file of files) {
          await copyProven(staged(file.name), join(incoming, file.name), file, options.programName);
        }
        await writeNew(join(incoming, 'manifest.json'), manifestBytes);
        if (signature !== null) await writeNew(join(incoming, 'manifest.sig'), Buffer.from(signature));
        await syncFolder(incoming);
        await chmod(incoming, 0o755);
        await giveName(options, folders.version(name));
        return { folder: folders.version(name) };
      } finally {
        await rm(incoming, { recursive: true, force: true });
      }
    },
  };
}

/** One of that name that is there already is what another upgrade placed, or half of it: it makes room. */
async function giveName({ folders, locate: at }: ReleaseIntakeOptions, folder: string): Promise<void> {
  await mkdir(at(folders.versions), { recursive: true, mode: 0o755 });
  const aside = `${at(folders.incoming)}-${randomUUID()}`;
  await takePlace(at(folder), aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await takePlace(at(folders.incoming), at(folder));
  await rm(aside, { recursive: true, force: true });
  await syncFolder(at(folders.versions));
}

interface Expected {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Copies no more than is expected, and proves what was copied: the original may change meanwhile. */
async function copyProven(from: string, to: string, expected: Expected, programName: string): Promise<void> {
  const opened = await openPlainFile(from);
  if (opened === null) throw new UpgradeError('damaged', `${expected.name} is not staged.`);
  const target = await open(to, 'wx', 0o600);
  try {
    const hash = createHash('sha256');
    const piece = Buffer.alloc(PIECE_BYTES);
    let bytes = 0;
    while (bytes <= expected.bytes) {
      const { bytesRead } = await opened.file.read(piece, 0, PIECE_BYTES, bytes);
      if (bytesRead === 0) break;
      hash.update(piece.subarray(0, bytesRead));
      await target.write(piece, 0, bytesRead, bytes);
      bytes += bytesRead;
    }
    const fault = judgeFile(expected, { bytes, sha256: hash.digest('hex') });
    if (fault !== null) throw new UpgradeError('damaged', `What is staged is not the release: ${fault}.`);
    await target.chmod(expected.name === programName ? 0o755 : 0o644);
    await target.sync();
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOSPC') {
      throw new UpgradeError('no_space', `${dirname(to)} is full.`, error);
    }
    throw error;
  } finally {
    await opened.file.close();
    await target.close();
  }
}

async function writeNew(path: string, content: Uint8Array): Promise<void> {
  const file = await open(path, 'wx', 0o644);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}
