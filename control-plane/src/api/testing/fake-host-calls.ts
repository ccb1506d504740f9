import type { HostAnswer, HostCalls, HostRequest } from '../host-calls.js';

type End = Awaited<NonNullable<ReturnType<HostCalls['removeOrphans']>>>;

/** Hosts without tunnel and link, until a test says what their agents answer. */
export class FakeHostCalls implements HostCalls {
  /** What was asked, in order. */
  readonly asked: { readonly host: string; readonly request: HostRequest; readonly signal: AbortSignal }[] =
    [];
  readonly removed: { readonly host: string; readonly containerIds: readonly string[] }[] = [];
  answer: ((request: HostRequest, signal: AbortSignal) => Promise<HostAnswer>) | null = null;
  outcome: End | null = null;
  readonly told: string[] = [];
  readonly offered: { readonly host: string; readonly version: string; readonly manifestSha256: string }[] =
    [];
  tooOld = false;

  async request(host: string, request: HostRequest, signal: AbortSignal): Promise<HostAnswer | null> {
    this.asked.push({ host, request, signal });
    return this.answer === null ? null : this.answer(request, signal);
  }

  removeOrphans(host: string, containerIds: readonly string[]): Promise<End> | null {
    this.removed.push({ host, containerIds });
    return this.outcome === null ? null : Promise.resolve(this.outcome);
  }

  tellOwner(host: string, verb: 'yield' | 'unyield'): Promise<End> | 'too_old' | null {
    this.told.push(`${verb} ${host}`);
    return this.#answer();
  }

  offerUpgrade(
    host: string,
    offer: { readonly version: string; readonly manifestSha256: string },
  ): Promise<End> | 'too_old' | null {
    this.offered.push({ host, ...offer });
    return this.#answer();
  }

  #answer(): Promise<End> | 'too_old' | null {
    if (this.tooOld) return 'too_old';
    return this.outcome === null ? null : Promise.resolve(this.outcome);
  }
}

/** An answer whose body comes in these pieces. */
export function hostAnswer(status: number, ...pieces: readonly string[]): HostAnswer {
  return {
    status,
    body: (async function* () {
      for (const piece of pieces) yield Buffer.from(piece);
    })(),
  };
}
