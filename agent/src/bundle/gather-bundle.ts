import { Findings } from './findings.js';

/** One kind of thing that a bundle holds. */
export interface BundlePart {
  /** In words, as it is told while it is gathered. */
  readonly title: string;
  /** Whatever it does not have by then stays out. */
  readonly deadlineMs: number;
  /** Puts what it finds, and what it does not, into the findings. It may reject: that is told in its place. */
  gather(findings: Findings, signal: AbortSignal): Promise<void>;
}

export interface GatheredPart {
  readonly title: string;
  readonly seconds: number;
  readonly files: number;
  readonly missing: number;
}

export interface GatherOptions {
  readonly parts: readonly BundlePart[];
  readonly monotonicMs: () => number;
  /** Rejects when it is aborted. A timer of the agent's clock would not keep the process there. */
  readonly pause: (ms: number, signal: AbortSignal) => Promise<unknown>;
  readonly onGathered: (part: GatheredPart) => void;
}

/** Gathers all parts at once, each within its own time: one that hangs or fails takes none of the others with it. */
export async function gatherBundle({
  parts,
  monotonicMs,
  pause,
  onGathered,
}: GatherOptions): Promise<Findings> {
  const all = new Findings();
  const gathered = await Promise.all(
    parts.map(async (part) => {
      const startedMs = monotonicMs();
      const own = await gatherPart(part, pause);
      onGathered({
        title: part.title,
        seconds: (monotonicMs() - startedMs) / 1_000,
        files: own.files.length,
        missing: own.missing.length,
      });
      return own;
    }),
  );
  // In the order of the parts, whichever was the first.
  for (const own of gathered) {
    for (const file of own.files) all.file(file);
    for (const { name, reason } of own.missing) all.lack(name, reason);
    all.secret(...own.secrets);
  }
  return all;
}

async function gatherPart(part: BundlePart, pause: GatherOptions['pause']): Promise<Findings> {
  const own = new Findings();
  const late = new AbortController();
  const enough = new AbortController();
  const work = part.gather(own, late.signal).catch((error: unknown) => own.lack(part.title, error));
  const deadline = pause(part.deadlineMs, enough.signal).then(
    () =>
      own.lack(part.title, `it took longer than ${part.deadlineMs / 1_000} s; what came until then is here`),
    () => undefined,
  );
  await Promise.race([work, deadline]);
  own.end();
  enough.abort();
  late.abort();
  return own;
}
