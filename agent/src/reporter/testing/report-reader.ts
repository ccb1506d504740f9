import { applyTelemetryDelta, type Report, type TelemetrySample } from '@ai-fabric/shared';

/** Reads reports as a control plane does: one chain of differences per link, each sample taken once. */
export class ReportReader {
  /** By the agent's time. */
  readonly samples = new Map<number, TelemetrySample>();
  readonly liveOrder: number[] = [];
  duplicates = 0;
  droppedSamples = 0;
  #held: TelemetrySample | null = null;
  #lastSeq = 0;

  newLink(): void {
    this.#held = null;
  }

  /** @throws when a report breaks a rule that a control plane relies on */
  read(report: Report): void {
    if (report.seq <= this.#lastSeq) throw new Error(`report ${report.seq} after ${this.#lastSeq}`);
    this.#lastSeq = report.seq;
    if (report.droppedSamples !== undefined) this.droppedSamples = report.droppedSamples;
    for (const delta of report.telemetry ?? []) {
      this.#held = applyTelemetryDelta(this.#held, delta);
      this.#take(this.#held, report.backfill === true);
    }
  }

  #take(sample: TelemetrySample, backfilled: boolean): void {
    if (this.samples.has(sample.atMs)) {
      this.duplicates += 1;
      return;
    }
    this.samples.set(sample.atMs, sample);
    if (backfilled) return;
    if (sample.atMs <= (this.liveOrder.at(-1) ?? 0))
      throw new Error(`live sample ${sample.atMs} is not newer`);
    this.liveOrder.push(sample.atMs);
  }
}
