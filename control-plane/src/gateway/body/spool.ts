import { mkdirSync, openSync, readdirSync, rmSync, statfsSync, unlinkSync } from 'node:fs';
import { join } from 'node:path';
import type { Clock } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import { SpoolFile } from './spool-file.js';

/** Of what is free on the disk, bodies take a tenth: the registry is written there too. */
const SHARE_OF_FREE = 0.1;
const MAX_SPOOLED_BYTES = 4 * 1024 ** 3;
const TELL_EVERY_MS = 10_000;

export interface SpoolOptions {
  /** Its own: whatever is found there is removed. */
  readonly directory: string;
  readonly clock: Clock;
  readonly log: Logger;
  readonly maxBytes?: number;
}

/** The disk room that large request bodies share. Its files have no names: what a crash leaves is nothing. */
export class Spool {
  readonly #options: SpoolOptions;
  readonly #maxBytes: number;
  #limit = 0;
  #held = 0;
  #files = 0;
  #total = 0;
  #made = 0;
  #isReady = false;
  #toldAtMs = Number.NEGATIVE_INFINITY;

  constructor(options: SpoolOptions) {
    this.#options = options;
    this.#maxBytes = options.maxBytes ?? MAX_SPOOLED_BYTES;
    try {
      this.#prepare();
    } catch (error) {
      // Small bodies do not need it; the next large one tries again.
      this.#tell(error);
    }
  }

  get bytes(): number {
    return this.#held;
  }

  /** Open ones: bodies that are held. */
  get files(): number {
    return this.#files;
  }

  /** All that was ever taken. */
  get totalBytes(): number {
    return this.#total;
  }

  /** @returns an empty file, or why there can be none, for the client */
  create(): SpoolFile | string {
    const { directory } = this.#options;
    try {
      if (!this.#isReady) this.#prepare();
      this.#limit = this.#measure();
      this.#made++;
      const path = join(directory, `body-${process.pid}-${this.#made}`);
      const descriptor = openSync(path, 'wx+', 0o600);
      this.#files++;
      return new SpoolFile(descriptor, this, removeName(path));
    } catch (error) {
      return this.failed(error);
    }
  }

  /** @returns false, and takes nothing, where it would be too much */
  take(bytes: number): boolean {
    if (this.#held + bytes > this.#limit) return false;
    this.#held += bytes;
    this.#total += bytes;
    return true;
  }

  /** A file is closed, and what it held is free. */
  gone(bytes: number): void {
    this.#held -= bytes;
    this.#files--;
  }

  /** @returns what to tell the client */
  failed(error: unknown): string {
    this.#tell(error);
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'an error';
    if (code === 'ENOSPC' || code === 'EDQUOT') return 'The disk that large request bodies wait on is full.';
    return `The disk that large request bodies wait on fails (${code}).`;
  }

  full(): string {
    const mib = (bytes: number): string => `${Math.floor(bytes / 1024 ** 2)} MiB`;
    return `Large request bodies have taken the room that they may have on the disk (${mib(this.#held)} of ${mib(this.#limit)}).`;
  }

  #prepare(): void {
    const { directory } = this.#options;
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(directory))
      rmSync(join(directory, name), { recursive: true, force: true });
    this.#isReady = true;
  }

  #measure(): number {
    const { bavail, bsize } = statfsSync(this.#options.directory);
    return Math.min(this.#maxBytes, (bavail * bsize + this.#held) * SHARE_OF_FREE);
  }

  #tell(error: unknown): void {
    const nowMs = this.#options.clock.monotonicMs();
    if (nowMs - this.#toldAtMs < TELL_EVERY_MS) return;
    this.#toldAtMs = nowMs;
    const { directory, log } = this.#options;
    log.warn({ directory, error: String(error) }, 'large request bodies cannot be kept on the disk');
  }
}

/** @returns the name, where it stays until the file is closed: some systems remove none that is open */
function removeName(path: string): string | null {
  try {
    unlinkSync(path);
    return null;
  } catch {
    return path;
  }
}
