import { createHash, randomUUID } from 'node:crypto';
import { chmod, mkdir, open, rename, rm, statfs } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { judgeFile, MAX_MANIFEST_BYTES, type UpgradeMode } from '@ai-fabric/shared';
import { PROGRAM_NAME, VERSIONS_FOLDER } from '../../install/linux/decide/linux-paths.js';
import { parseConsent } from '../consent.js';
import { UpgradeError } from '../upgrade-error.js';
import type { UpgradeIntake } from '../upgrade-system.js';
import { syncFolder } from './linux-upgrade.js';
import { openPlainFile, readPlainFile } from './read-plain-file.js';
import { INCOMING_FOLDER, STAGED_FOLDER, UPGRADE_CONSENT } from './upgrade-paths.js';

export interface LinuxIntakeOptions {
  /** As agent.yaml says, read where the agent cannot write. */
  readonly readMode: () => Promise<UpgradeMode>;
  /** What stands before all paths: empty, but in tests. */
  readonly root?: string;
}

const MAX_SIGNATURE_BYTES = 1024;
const MAX_CONSENT_BYTES = 1024;
const PIECE_BYTES = 256 * 1024;

/** What the agent staged in its state folder is copied to a folder of root's own, and proven there. */
export function linuxIntake({ readMode, root = '' }: LinuxIntakeOptions): UpgradeIntake {
  const at = (path: string): string => join(root, path);
  const staged = (name: string): string => join(at(STAGED_FOLDER), name);
  return {
    mode: readMode,
    approvedSha256: async () => {
      const text = await readPlainFile(at(UPGRADE_CONSENT), MAX_CONSENT_BYTES);
      return text === null ? null : parseConsent(text.toString('utf8'));
    },
    staged: async () => {
      const manifestBytes = await readPlainFile(staged('manifest.json'), MAX_MANIFEST_BYTES);
      if (manifestBytes === null) return null;
      const signature = await readPlainFile(staged('manifest.sig'), MAX_SIGNATURE_BYTES);
      return { manifestBytes, signature: signature?.toString('utf8') ?? null };
    },
    freeBytes: async () => {
      const { bavail, bsize } = await statfs(dirname(at(VERSIONS_FOLDER)));
      return bavail * bsize;
    },
    place: async ({ name, files, manifestBytes, signature }) => {
      const incoming = at(INCOMING_FOLDER);
      await rm(incoming, { recursive: true, force: true });
      await mkdir(incoming, { mode: 0o700 });
      try {
        for (const file of files) await copyProven(staged(file.name), join(incoming, file.name), file);
        await writeNew(join(incoming, 'manifest.json'), manifestBytes);
        if (signature !== null) await writeNew(join(incoming, 'manifest.sig'), Buffer.from(signature));
        await syncFolder(incoming);
        await chmod(incoming, 0o755);
        return { folder: await giveName(at, incoming, `${VERSIONS_FOLDER}/${name}`) };
      } finally {
        await rm(incoming, { recursive: true, force: true });
      }
    },
  };
}

/** One of that name that is there already is what another upgrade placed, or half of it: it makes room. */
async function giveName(at: (path: string) => string, incoming: string, folder: string): Promise<string> {
  await mkdir(at(VERSIONS_FOLDER), { recursive: true, mode: 0o755 });
  const aside = `${at(INCOMING_FOLDER)}-${randomUUID()}`;
  await rename(at(folder), aside).catch((error: NodeJS.ErrnoException) => {
    if (error.code !== 'ENOENT') throw error;
  });
  await rename(incoming, at(folder));
  await rm(aside, { recursive: true, force: true });
  await syncFolder(at(VERSIONS_FOLDER));
  return folder;
}

interface Expected {
  readonly name: string;
  readonly bytes: number;
  readonly sha256: string;
}

/** Copies no more than is expected, and proves what was copied: the original may change meanwhile. */
async function copyProven(from: string, to: string, expected: Expected): Promise<void> {
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
    await target.chmod(expected.name === PROGRAM_NAME ? 0o755 : 0o644);
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
