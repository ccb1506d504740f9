import { createReadStream } from 'node:fs';
import { appendFile, mkdir, readdir, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Clock, Timer } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { KeyStore } from '../registry/key-types.js';
import { type BodyFile, bodyFileName, hourOfBodyFile, planBodyPruning } from './decide/body-files.js';
import type { KeptBody } from './kept-body.js';

/** Waiting to be written; what comes beyond it is dropped and counted. */
const MAX_WAITING_BYTES = 16 * 2 ** 20;
/** All that is kept, of all keys. */
const MAX_KEPT_BYTES = 2 ** 30;
/** One hour of one key. A search reads all of it. */
const MAX_FILE_BYTES = 128 * 2 ** 20;
const PRUNE_MS = 600_000;
const LOG_AGAIN_MS = 60_000;

const textSchema = z.object({ text: z.string(), sizeBytes: z.number(), cut: z.boolean() });
const lineSchema = z.object({
  requestId: z.string(),
  keyId: z.string(),
  endedAtMs: z.number(),
  request: textSchema,
  answer: textSchema,
});

export interface BodyStoreParts {
  /** Made, for its owner alone, when the first body is kept. */
  readonly directory: string;
  readonly keys: Pick<KeyStore, 'list' | 'onChange'>;
  readonly clock: Clock;
  readonly log: Logger;
}

/**
 * What requests of keys that ask for it said, apart from the registry and its backups: a folder for each key, a file
 * for each hour, a JSON object on each line.
 */
export class BodyStore {
  readonly #parts: BodyStoreParts;
  readonly #pruning: Timer;
  readonly #unsubscribe: () => void;
  /** Lines by file. */
  #waiting = new Map<string, string[]>();
  #waitingBytes = 0;
  #working: Promise<void> = Promise.resolve();
  #isScheduled = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;
  /** Lost since start: too many waited, or the disk took none. */
  droppedCount = 0;

  constructor(parts: BodyStoreParts) {
    this.#parts = parts;
    this.#pruning = parts.clock.every(PRUNE_MS, () => void this.prune());
    // A key that wants its bodies kept no longer does not wait for it.
    this.#unsubscribe = parts.keys.onChange(() => void this.prune());
  }

  /** Never blocks, never throws. */
  append(body: KeptBody): void {
    // `requestId` first: a search compares the beginning of a line before it reads the rest.
    const { requestId, keyId, endedAtMs, request, answer } = body;
    const line = JSON.stringify({ requestId, keyId, endedAtMs, request, answer });
    if (this.#waitingBytes + line.length > MAX_WAITING_BYTES) {
      this.#drop(1, 'too many wait to be written');
      return;
    }
    const file = join(this.#parts.directory, keyId, bodyFileName(endedAtMs));
    const lines = this.#waiting.get(file) ?? [];
    lines.push(line);
    this.#waiting.set(file, lines);
    this.#waitingBytes += line.length;
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    this.#do(() => this.#write());
  }

  /**
   * @param endedAtMs as the request log has it
   * @returns `null`: its key did not ask for it, or it is not kept any more
   */
  async find(requestId: string, endedAtMs: number): Promise<KeptBody | null> {
    await this.#working;
    const name = bodyFileName(endedAtMs);
    for (const keyId of await listNames(this.#parts.directory)) {
      const found = await findLine(join(this.#parts.directory, keyId, name), requestId, endedAtMs);
      if (found !== null) return found;
    }
    return null;
  }

  /** Resolves when all is done that was asked for before. */
  prune(): Promise<void> {
    return this.#do(async () => {
      const { directory, keys, clock } = this.#parts;
      const keepDays = new Map<string, number>();
      for (const { keyId, keepBodiesDays } of keys.list()) {
        if (keepBodiesDays !== null) keepDays.set(keyId, keepBodiesDays);
      }
      const files = await listFiles(directory);
      for (const { keyId, hourMs } of planBodyPruning(files, keepDays, MAX_KEPT_BYTES, clock.nowMs())) {
        await rm(join(directory, keyId, bodyFileName(hourMs)), { force: true });
      }
    });
  }

  async close(): Promise<void> {
    this.#pruning.cancel();
    this.#unsubscribe();
    await this.#working;
  }

  /** One thing at a time; a disk that fails ends nothing. */
  #do(work: () => Promise<void>): Promise<void> {
    this.#working = this.#working.then(work).catch((error: unknown) => this.#drop(0, String(error)));
    return this.#working;
  }

  async #write(): Promise<void> {
    const batch = this.#waiting;
    this.#waiting = new Map();
    this.#waitingBytes = 0;
    this.#isScheduled = false;
    for (const [file, lines] of batch) {
      try {
        await mkdir(join(file, '..'), { recursive: true, mode: 0o700 });
        if ((await sizeOf(file)) > MAX_FILE_BYTES) this.#drop(lines.length, 'this hour of its key is full');
        // The break stands first: after a crash in mid-line the next one still begins anew.
        else await appendFile(file, lines.map((line) => `\n${line}`).join(''), { mode: 0o600 });
      } catch (error) {
        this.#drop(lines.length, error instanceof Error ? error.message : String(error));
      }
    }
  }

  #drop(count: number, reason: string): void {
    this.droppedCount += count;
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - this.#toldAtMs < LOG_AGAIN_MS) return;
    this.#toldAtMs = nowMs;
    const { droppedCount } = this;
    this.#parts.log.warn(
      { droppedCount, reason },
      'bodies of requests were not kept; requests are not affected',
    );
  }
}

async function sizeOf(file: string): Promise<number> {
  return stat(file).then(
    ({ size }) => size,
    () => 0,
  );
}

async function listNames(directory: string): Promise<string[]> {
  return readdir(directory).catch(() => []);
}

async function listFiles(directory: string): Promise<BodyFile[]> {
  const files: BodyFile[] = [];
  for (const keyId of await listNames(directory)) {
    for (const name of await listNames(join(directory, keyId))) {
      const hourMs = hourOfBodyFile(name);
      if (hourMs === null) continue;
      files.push({ keyId, hourMs, sizeBytes: await sizeOf(join(directory, keyId, name)) });
    }
  }
  return files;
}

async function findLine(file: string, requestId: string, endedAtMs: number): Promise<KeptBody | null> {
  if ((await sizeOf(file)) === 0) return null;
  const beginning = `{"requestId":${JSON.stringify(requestId)},`;
  for await (const line of createInterface({
    input: createReadStream(file),
    crlfDelay: Number.POSITIVE_INFINITY,
  })) {
    if (!line.startsWith(beginning)) continue;
    const body = readLine(line);
    if (body?.endedAtMs === endedAtMs) return body;
  }
  return null;
}

/** @returns `null` for a line that a crash cut off */
function readLine(line: string): KeptBody | null {
  try {
    return lineSchema.parse(JSON.parse(line));
  } catch {
    return null;
  }
}
