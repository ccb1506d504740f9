import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { z } from 'zod';
import { takePlace } from '../identity/take-place.js';
import { engineAccesses, madeSchema } from './install-steps.js';

const recordSchema = z.object({
  format: z.literal(1),
  /** Of the program that was installed last. */
  version: z.string().max(100),
  /** The machine that it was installed on: a copied disk is known by it. */
  machineSha256: z.string().max(64).nullable(),
  engineAccess: z.enum(engineAccesses),
  /** The last install came to its end. */
  finished: z.boolean(),
  /** In the order in which it was made. */
  made: z.array(madeSchema).max(500),
});

/** What an install made on this machine, so that an uninstall takes away that and nothing else. No secrets. */
export type InstallRecord = z.infer<typeof recordSchema>;

/** A record that cannot be used. */
export class InstallRecordError extends Error {
  override readonly name = 'InstallRecordError';
}

const MAX_BYTES = 1024 * 1024;

/** @returns `null` where nothing was installed @throws InstallRecordError naming the file and the fix */
export async function readInstallRecord(path: string): Promise<InstallRecord | null> {
  const text = await readFile(path, 'utf8').catch((error: NodeJS.ErrnoException) => {
    if (error.code === 'ENOENT' || error.code === 'ENOTDIR') return null;
    throw new InstallRecordError(`${path}, which says what was installed, cannot be read (${error.code}).`);
  });
  if (text === null) return null;
  const parsed = recordSchema.safeParse(text.length > MAX_BYTES ? undefined : parseJson(text));
  if (parsed.success) return parsed.data;
  const issue = parsed.error.issues[0];
  throw new InstallRecordError(
    `${path}, which says what was installed, is damaged (${issue?.path.join('.') || 'whole file'}). ` +
      'Fix: put back a backup, or move it away and install again: what was made then counts as made by somebody else.',
  );
}

/** Whole or not at all, on the disk when it returns. Others may read it. */
export async function writeInstallRecord(path: string, record: InstallRecord): Promise<void> {
  await mkdir(dirname(path), { recursive: true, mode: 0o755 });
  const beside = `${path}.new`;
  await rm(beside, { force: true });
  const file = await open(beside, 'wx', 0o644);
  try {
    // Whatever the umask is: whoever is not root is told by it that there is an agent.
    if (process.platform !== 'win32') await file.chmod(0o644);
    await file.writeFile(`${JSON.stringify(record, null, 2)}\n`);
    await file.sync();
  } finally {
    await file.close();
  }
  await takePlace(beside, path);
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
