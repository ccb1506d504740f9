import {
  type HostInventory,
  type Issue,
  MAX_FRAME_BYTES,
  MAX_SAMPLES_PER_REPORT,
  type Orphan,
  type OwnerReport,
  type ReplicaStatus,
  type Report,
  reportFrameSchema,
  type TelemetrySample,
  type UpgradeReport,
} from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { AgentTime } from './agent-time.js';
import { packSamples } from './decide/pack-samples.js';
import { planReport } from './decide/plan-report.js';
import { type HeldSample, SampleBuffer } from './sample-buffer.js';

/** Takes a report for the control plane. `held`: not now. `too_large`: never. */
export type SendReport = (report: Report) => 'sent' | 'held' | 'too_large';

/** What is told whole whenever it changes, and on every new link. */
export interface News {
  inventory: HostInventory;
  replicas: ReplicaStatus[];
  issues: Issue[];
  orphans: Orphan[];
  owner: OwnerReport;
  upgrade: UpgradeReport | null;
}

export interface OutboxOptions {
  readonly bufferBytes: number;
  readonly time: AgentTime;
  readonly log: Logger;
  readonly send: SendReport;
}

/** Half of what a frame may hold, and that in characters: what is not ASCII takes up to three bytes. */
const MAX_REPORT_LENGTH = MAX_FRAME_BYTES / 3;
/** The rest waits for the next sample or ack: one turn of the loop is not for a whole backlog. */
const MAX_REPORTS_AT_ONCE = 32;
const bodySchema = reportFrameSchema.shape.body;

interface Draft {
  readonly report: Report;
  readonly samples: readonly HeldSample[];
  readonly last: TelemetrySample | null;
}

/** What the control plane does not know yet, and how it is told: the present first, the past beside it. */
export class Outbox {
  readonly #options: OutboxOptions;
  readonly #buffer: SampleBuffer;
  readonly #news: Partial<News> = {};
  readonly #untold = new Set<keyof News>();
  readonly #backfills = new Set<number>();
  #linked = false;
  #seq = 0;
  #newestLiveAtMs = Number.NEGATIVE_INFINITY;
  /** What the receiver holds on this link: each sample is told as the difference to it. */
  #held: TelemetrySample | null = null;
  /** The newest sample, unpacked: in steady state it is the only one that is ever sent. */
  #newest: TelemetrySample | null = null;
  #droppedTold = 0;

  constructor(options: OutboxOptions) {
    this.#options = options;
    this.#buffer = new SampleBuffer(options.bufferBytes);
  }

  /** Samples that wait to be sent. */
  get waiting(): number {
    return this.#buffer.waiting.length;
  }

  get dropped(): number {
    return this.#buffer.dropped;
  }

  /** On a new link everything is told anew, as to one who knows nothing. */
  linked(): void {
    this.#linked = true;
    this.#held = null;
    this.#droppedTold = 0;
    for (const part of Object.keys(this.#news) as (keyof News)[]) this.#untold.add(part);
    this.pump();
  }

  down(): void {
    this.#linked = false;
    this.#backfills.clear();
    this.#buffer.returnSent();
  }

  acked(seq: number): void {
    this.#buffer.markArrived(seq);
    for (const backfill of this.#backfills) if (backfill <= seq) this.#backfills.delete(backfill);
    this.pump();
  }

  push(sample: TelemetrySample): void {
    this.#newest = sample;
    this.#buffer.push(sample);
  }

  tell<Part extends keyof News>(part: Part, value: News[Part]): void {
    this.#news[part] = value;
    this.#untold.add(part);
  }

  /** Sends what can be sent now. */
  pump(): void {
    if (!this.#linked) return;
    for (let sent = 0; sent < MAX_REPORTS_AT_ONCE; sent += 1) {
      if (!this.#sendNext()) return;
    }
  }

  #sendNext(): boolean {
    const { waiting } = this.#buffer;
    const plan = planReport({
      waiting: waiting.length,
      newestWaitingAtMs: waiting.at(-1)?.atMs ?? null,
      newestLiveAtMs: this.#newestLiveAtMs,
      hasNews: this.#untold.size > 0 || this.#buffer.dropped !== this.#droppedTold,
      backfillsUnderway: this.#backfills.size,
      nowMs: this.#options.time.nowMs(),
    });
    switch (plan) {
      case 'live':
        return this.#send(this.#draft(waiting.slice(-1), false));
      case 'news':
        return this.#send(this.#draft([], false));
      case 'backfill':
        return this.#send(this.#draft(waiting.slice(0, MAX_SAMPLES_PER_REPORT), true));
      case 'nothing':
        return false;
      default:
        return plan satisfies never;
    }
  }

  #draft(candidates: readonly HeldSample[], backfill: boolean): Draft {
    const samples = candidates.map((held) => this.#unpack(held));
    const { deltas, last } = packSamples(this.#held, samples, MAX_SAMPLES_PER_REPORT, MAX_REPORT_LENGTH);
    const report: Report = { seq: this.#seq + 1 };
    if (deltas.length > 0) report.telemetry = [...deltas];
    if (backfill) report.backfill = true;
    else this.#addNews(report);
    if (this.#buffer.dropped !== this.#droppedTold) report.droppedSamples = this.#buffer.dropped;
    return { report, samples: candidates.slice(0, deltas.length), last };
  }

  #unpack({ atMs, json }: HeldSample): TelemetrySample {
    return this.#newest?.atMs === atMs ? this.#newest : (JSON.parse(json) as TelemetrySample);
  }

  /** As much as fits; what does not goes with the next report. */
  #addNews(report: Report): void {
    if (this.#untold.size === 0) return;
    let length = JSON.stringify(report).length;
    for (const part of this.#untold) {
      const value = this.#news[part];
      length += JSON.stringify(value)?.length ?? 0;
      const isFirst = report.telemetry === undefined && !hasNews(report);
      if (length > MAX_REPORT_LENGTH && !isFirst) return;
      Object.assign(report, { [part]: value });
    }
  }

  #send({ report, samples, last }: Draft): boolean {
    const wrong = this.#mustBeChecked(report) ? bodySchema.safeParse(report).error?.issues[0] : undefined;
    if (wrong) {
      const [part, index] = wrong.path;
      const culprits = typeof index === 'number' ? samples.slice(index, index + 1) : samples;
      this.#giveUp(report, culprits, `${wrong.path.join('.')}: ${wrong.message}`, part);
      return true;
    }
    const result = this.#options.send(report);
    if (result === 'held') return false;
    if (result === 'too_large') {
      this.#giveUp(report, samples, 'it is larger than a frame may be');
      return true;
    }
    this.#seq = report.seq;
    this.#held = last;
    if (samples.length > 0) this.#buffer.markSent(samples, report.seq);
    if (report.backfill) this.#backfills.add(report.seq);
    else this.#newestLiveAtMs = Math.max(this.#newestLiveAtMs, ...samples.map(({ atMs }) => atMs));
    for (const part of newsParts(report)) this.#untold.delete(part);
    if (report.droppedSamples !== undefined) this.#droppedTold = report.droppedSamples;
    return true;
  }

  /**
   * Not each live sample, which would cost more than all the rest of its way: one that breaks the rules ends the
   * link, comes again as a backfill, and is found then.
   */
  #mustBeChecked(report: Report): boolean {
    return this.#held === null || report.backfill === true || hasNews(report);
  }

  /**
   * A reading that breaks the wire's rules would end the link, and the next one, and the next: it is left out and
   * said in the log, and everything else goes on.
   */
  #giveUp(report: Report, samples: readonly HeldSample[], why: string, culprit?: PropertyKey): void {
    const { log } = this.#options;
    log.error({ why }, 'report: a part of it cannot be sent and is left out');
    if (culprit === undefined || culprit === 'telemetry') this.#buffer.discard(samples);
    for (const part of newsParts(report)) {
      if (culprit === undefined || culprit === part) this.#untold.delete(part);
    }
  }
}

const partNames: readonly (keyof News)[] = ['inventory', 'replicas', 'issues', 'orphans', 'owner'];

function newsParts(report: Report): readonly (keyof News)[] {
  return partNames.filter((part) => report[part] !== undefined);
}

function hasNews(report: Report): boolean {
  return newsParts(report).length > 0;
}
