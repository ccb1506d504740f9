import { createHash, randomBytes } from 'node:crypto';
import { createWriteStream, rmSync } from 'node:fs';
import { open, rename } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { CliError, exitCodes } from './exit-codes.js';

export interface Received {
  readonly sizeBytes: number;
  readonly sha256: string;
}

export interface DownloadAnswer {
  readonly body: Readable;
  /** What the other side says that it sends. */
  readonly sha256: string | null;
}

/**
 * Writes what arrives under another name, compares it with its digest, and gives it its name when it is on the disk:
 * whole or not at all, for its owner alone.
 *
 * @throws {CliError}
 */
export async function receiveFile({ body, sha256 }: DownloadAnswer, file: string): Promise<Received> {
  const draft = `${file}.${randomBytes(4).toString('hex')}.tmp`;
  const hash = createHash('sha256');
  let sizeBytes = 0;
  try {
    body.on('data', (chunk: Buffer) => {
      hash.update(chunk);
      sizeBytes += chunk.length;
    });
    await pipeline(body, createWriteStream(draft, { mode: 0o600, flags: 'wx' }));
    const received = hash.digest('hex');
    if (received !== sha256) {
      throw new CliError(exitCodes.failed, 'what arrived is not what was sent', 'try again');
    }
    await sync(draft);
    await rename(draft, file);
    return { sizeBytes, sha256: received };
  } catch (error) {
    rmSync(draft, { force: true });
    throw toCliError(error, file);
  }
}

async function sync(file: string): Promise<void> {
  const handle = await open(file, 'r+');
  try {
    await handle.sync();
  } finally {
    await handle.close();
  }
}

function toCliError(error: unknown, file: string): unknown {
  if (error instanceof CliError || !(error instanceof Error) || !('code' in error)) return error;
  const code = String(error.code);
  if (code === 'ENOSPC' || code === 'EDQUOT') {
    const fix = 'make room there; nothing of it was left';
    return new CliError(exitCodes.failed, `${dirname(file)}: the disk is full`, fix);
  }
  if (!/^E[A-Z]+$/.test(code) || code.startsWith('ECONN')) return error;
  const fix = 'name a file in a directory that you may write';
  return new CliError(exitCodes.failed, `${file}: cannot be written (${code})`, fix);
}
