import type { HeldGauge } from './gauge-types.js';

/** What the requests of this fabric do on one host. */
export interface UseOfHost {
  /** Requests that run there. */
  readonly inflight: number;
  /** Of these, those that keep a host awake: no batch requests, no checks. */
  readonly counted: number;
  /** Monotonic: when the last one that counts ended; `null`: none has, in this process. */
  readonly lastMs: number | null;
  /** Requests that are held for something that the host could serve, batch requests not among them. */
  readonly queued: number;
}

interface Entry {
  inflight: number;
  counted: number;
  lastMs: number | null;
}

/** Counts what runs on each host, by claims. */
export class HostUse {
  readonly #hosts = new Map<string, Entry>();

  /** @returns to be told once that it has ended, monotonic milliseconds */
  begin(host: string, counts: boolean): (nowMs: number) => void {
    const entry = this.#entry(host);
    entry.inflight += 1;
    if (counts) entry.counted += 1;
    return (nowMs) => {
      entry.inflight -= 1;
      if (!counts) return;
      entry.counted -= 1;
      entry.lastMs = nowMs;
    };
  }

  /** @param servesOn whether the host is one of those that serve what is asked for by this name */
  of(host: string, held: readonly HeldGauge[], servesOn: (name: string) => boolean): UseOfHost {
    const { inflight, counted, lastMs } = this.#hosts.get(host) ?? NEVER_USED;
    const waiting = held.filter(
      ({ requestClass, count, role }) => requestClass !== 'batch' && count > 0 && servesOn(role),
    );
    return { inflight, counted, lastMs, queued: waiting.reduce((sum, { count }) => sum + count, 0) };
  }

  #entry(host: string): Entry {
    let entry = this.#hosts.get(host);
    if (entry === undefined) {
      entry = { ...NEVER_USED };
      this.#hosts.set(host, entry);
    }
    return entry;
  }
}

const NEVER_USED: Entry = { inflight: 0, counted: 0, lastMs: null };
