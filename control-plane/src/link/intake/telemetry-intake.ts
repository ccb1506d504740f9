import { applyTelemetryDelta, type Report, type TelemetrySample } from '@ai-fabric/shared';
import type { PlacedSample } from '../../live/live-report.js';
import { placeSample } from '../decide/place-sample.js';
import type { SeenSamples } from './seen-samples.js';

/** More than any machine has, and what an inventory may list. */
const MAX_CARDS = 32;
const MAX_REPLICAS = 64;

export type IntakeResult =
  | {
      readonly ok: true;
      readonly samples: readonly PlacedSample[];
      /** Taken before. */
      readonly duplicates: number;
      /** Of an age that cannot be. */
      readonly misplaced: number;
    }
  | { readonly ok: false; readonly detail: string };

/**
 * Makes whole samples out of the differences of one link, in the order in which they were sent, live and
 * backfilled ones in one chain.
 */
export class TelemetryIntake {
  readonly #seen: SeenSamples;
  #chain: TelemetrySample | null = null;

  constructor(seen: SeenSamples) {
    this.#seen = seen;
    seen.beginLink();
  }

  /** @param receivedAtMs server's wall clock @param sentAtMs agent's, of the report's frame */
  take(report: Report, receivedAtMs: number, sentAtMs: number): IntakeResult {
    const samples: PlacedSample[] = [];
    const backfilled = report.backfill === true;
    let duplicates = 0;
    let misplaced = 0;
    for (const delta of report.telemetry ?? []) {
      const sample = applyTelemetryDelta(this.#chain, delta);
      const excess = excessOf(sample);
      if (excess) return { ok: false, detail: excess };
      this.#chain = sample;
      const atMs = placeSample(receivedAtMs, sentAtMs, sample.atMs);
      if (atMs === null) misplaced += 1;
      else if (!this.#seen.take(sample.atMs, backfilled)) duplicates += 1;
      else samples.push({ sample: { ...sample, atMs }, backfilled });
    }
    return { ok: true, samples, duplicates, misplaced };
  }
}

/** Differences add up: without a limit a peer that makes up a name a second grows its sample for ever. */
function excessOf(sample: TelemetrySample): string | null {
  const cards = Object.keys(sample.gpus).length;
  if (cards > MAX_CARDS) return `a sample of ${cards} cards; at most ${MAX_CARDS} are taken`;
  const replicas = Object.keys(sample.replicas).length;
  if (replicas > MAX_REPLICAS) return `a sample of ${replicas} replicas; at most ${MAX_REPLICAS} are taken`;
  return null;
}
