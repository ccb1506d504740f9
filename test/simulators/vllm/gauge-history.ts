import type { Clock } from '@ai-fabric/shared';

export interface Gauges {
  readonly running: number;
  readonly waiting: number;
  /** 0–1. */
  readonly kvUsage: number;
}

const NOTHING: Gauges = { running: 0, waiting: 0, kvUsage: 0 };
/** Changes closer together than this are kept as one, which bounds the history under load. */
const RESOLUTION_MS = 10;

/**
 * The gauges as `/metrics` shows them: late. vLLM's are 3–6 s behind in steady state, and 0 for about 18 s
 * after a cold start (vllm-project/vllm#49538).
 */
export class GaugeHistory {
  readonly #clock: Clock;
  readonly #lagMs: number;
  readonly #warmAtMs: number;
  #changes: { atMs: number; gauges: Gauges }[] = [];

  constructor(clock: Clock, settings: { lagMs: number; coldMs: number }) {
    this.#clock = clock;
    this.#lagMs = settings.lagMs;
    this.#warmAtMs = clock.monotonicMs() + settings.coldMs;
  }

  record(gauges: Gauges): void {
    const atMs = this.#clock.monotonicMs();
    const last = this.#changes.at(-1);
    if (last && atMs - last.atMs < RESOLUTION_MS) {
      last.gauges = gauges;
      return;
    }
    this.#changes.push({ atMs, gauges });
    if (this.#changes.length > (this.#lagMs / RESOLUTION_MS + 2) * 2) this.#forget(atMs - this.#lagMs);
  }

  shown(): Gauges {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs < this.#warmAtMs) return NOTHING;
    return this.#changes.findLast((change) => change.atMs <= nowMs - this.#lagMs)?.gauges ?? NOTHING;
  }

  /** Drops what can never be shown again: all before the last change that is older than the lag. */
  #forget(beforeMs: number): void {
    const current = this.#changes.findLastIndex((change) => change.atMs <= beforeMs);
    if (current > 0) this.#changes = this.#changes.slice(current);
  }
}
