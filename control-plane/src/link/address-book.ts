import { FAILURE_POLICY, LOG_AGAIN_AFTER_MS } from './decide/link-limits.js';
import { fullBucket, refill, type TokenBucket, takeToken } from './decide/take-token.js';

const MAX_ENTRIES = 4_096;

interface Entry {
  failures: TokenBucket;
  /** Monotonic. */
  loggedAtMs: number;
  suppressed: number;
}

/** What is remembered of peers: how often each failed lately, and when a line about it was logged. Bounded. */
export class AddressBook {
  /** In the order of last use. */
  readonly #entries = new Map<string, Entry>();

  get size(): number {
    return this.#entries.size;
  }

  /** Whether this address has failed too often to be heard now. */
  isLimited(address: string, nowMs: number): boolean {
    const entry = this.#entries.get(address);
    return entry !== undefined && refill(entry.failures, FAILURE_POLICY, nowMs).tokens < 1;
  }

  noteFailure(address: string, nowMs: number): void {
    const entry = this.#use(address, nowMs);
    entry.failures = takeToken(entry.failures, FAILURE_POLICY, 1, nowMs).bucket;
  }

  /** @returns `null`: not now, it was logged a moment ago; else how many lines were left out since */
  mayLog(about: string, nowMs: number): number | null {
    const entry = this.#use(about, nowMs);
    if (nowMs - entry.loggedAtMs < LOG_AGAIN_AFTER_MS) {
      entry.suppressed += 1;
      return null;
    }
    const suppressed = entry.suppressed;
    entry.loggedAtMs = nowMs;
    entry.suppressed = 0;
    return suppressed;
  }

  #use(key: string, nowMs: number): Entry {
    const entry = this.#entries.get(key) ?? {
      failures: fullBucket(FAILURE_POLICY, nowMs),
      loggedAtMs: Number.NEGATIVE_INFINITY,
      suppressed: 0,
    };
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    for (const oldest of this.#entries.keys()) {
      if (this.#entries.size <= MAX_ENTRIES) break;
      this.#entries.delete(oldest);
    }
    return entry;
  }
}
