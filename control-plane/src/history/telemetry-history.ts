import { type Clock, OFFLINE_AFTER_MS, type TelemetrySample, type Timer } from '@ai-fabric/shared';
import type { LiveChange, LiveView } from '../live/live-view.js';
import type { StoredTelemetry, TelemetryQuestion, WaitingRollUp } from '../registry/read-telemetry.js';
import type { ObservationWriter } from '../registry/registry-types.js';
import { BackfilledTimes } from './backfilled-times.js';
import { absenceStretches } from './decide/absence-stretches.js';
import {
  describeStates,
  describeStretches,
  type KnownToReport,
  knownFrom,
} from './decide/describe-points.js';
import { HostRollUp } from './decide/host-roll-up.js';
import type { RollUp } from './decide/open-stretch.js';
import {
  planTelemetryQuery,
  type TelemetryPlan,
  type TelemetryRange,
} from './decide/plan-telemetry-query.js';
import type { FieldSelection } from './decide/point-table.js';
import { rollUpSamples } from './decide/roll-up-samples.js';
import { tiers } from './decide/tiers.js';
import type { TelemetryAnswer } from './telemetry-answer.js';

/** How often minutes of hosts that fell silent, and what was backfilled, are closed. */
const CLOSE_EVERY_MS = 5_000;
/** What comes so late after its minute is still a live sample under way. */
const GRACE_MS = 5_000;
const MAX_TRIES = 3;

export interface TelemetryHistoryParts {
  readonly live: LiveView;
  readonly observations: Pick<ObservationWriter, 'enqueue' | 'waitingTelemetry'>;
  readonly clock: Clock;
  /** Of this process. */
  readonly runId: string;
  /** On the reading thread. */
  readonly read: (question: TelemetryQuestion) => Promise<StoredTelemetry>;
}

interface FollowedHost {
  readonly hostId: string;
  readonly rollUp: HostRollUp;
  readonly backfilled: BackfilledTimes;
}

export type TelemetryResult =
  | { readonly ok: true; readonly answer: TelemetryAnswer }
  | Extract<TelemetryPlan, { ok: false }>;

/** Rolls up what the live view takes in, minute by minute, and answers for any stretch of the past. */
export class TelemetryHistory {
  readonly #parts: TelemetryHistoryParts;
  readonly #hosts = new Map<string, FollowedHost>();
  readonly #sinceMs: number;
  readonly #closing: Timer;
  readonly #unfollow: () => void;
  #seq = 0;

  constructor(parts: TelemetryHistoryParts) {
    this.#parts = parts;
    this.#sinceMs = parts.clock.nowMs();
    this.#unfollow = parts.live.onChange((change) => this.#follow(change));
    this.#closing = parts.clock.every(CLOSE_EVERY_MS, () => this.#closeOld());
  }

  /** @throws when the registry cannot be read */
  async query(host: string, range: TelemetryRange, fields: FieldSelection): Promise<TelemetryResult> {
    const nowMs = this.#parts.clock.nowMs();
    const plan = planTelemetryQuery(range, nowMs, this.#sinceMs);
    if (!plan.ok) return plan;
    const stored = await this.#readStored(host, plan, fields);
    const columns = plan.source === 'samples' ? this.#sampleColumns(host, plan, fields) : stored.columns;
    const knownToReport = await this.#knownBeforeMemory(host, plan, fields);
    const { fromMs, toMs, grid, notes } = plan;
    const absences = absenceStretches(stored.events, fromMs, toMs, OFFLINE_AFTER_MS);
    return {
      ok: true,
      answer: {
        ...{ host, fromMs, toMs, notes, grid, columns },
        resolution: plan.source === 'samples' ? 'samples' : plan.source.name,
        stretches: describeStretches(grid, columns, absences),
        states: describeStates(grid, columns, absences, knownToReport),
      },
    };
  }

  /** Hands over what is open. Call before the registry closes. */
  close(): void {
    this.#unfollow();
    this.#closing.cancel();
    for (const host of this.#hosts.values()) {
      this.#handOver(host.hostId, host.rollUp.close(0, Number.NEGATIVE_INFINITY));
    }
    this.#hosts.clear();
  }

  #follow(change: LiveChange): void {
    if (change.kind === 'sample') this.#take(change.host, change.sample, change.backfilled);
    else if (change.kind === 'host' && change.host.hostId !== this.#hosts.get(change.host.name)?.hostId) {
      this.#forget(change.host.name);
    } else if (change.kind === 'hostRemoved') this.#forget(change.name);
  }

  #take(name: string, sample: TelemetrySample, backfilled: boolean): void {
    const host = this.#hosts.get(name) ?? this.#begin(name);
    if (!host) return;
    const closed = host.rollUp.take(sample, backfilled);
    if (backfilled) host.backfilled.add(sample.atMs);
    if (closed) this.#handOver(host.hostId, [closed]);
  }

  #begin(name: string): FollowedHost | null {
    const hostId = this.#parts.live.host(name)?.hostId ?? null;
    if (hostId === null) return null;
    const host = { hostId, rollUp: new HostRollUp(), backfilled: new BackfilledTimes() };
    this.#hosts.set(name, host);
    return host;
  }

  #forget(name: string): void {
    const host = this.#hosts.get(name);
    if (!host) return;
    this.#handOver(host.hostId, host.rollUp.close(0, Number.NEGATIVE_INFINITY));
    this.#hosts.delete(name);
  }

  #closeOld(): void {
    const nowMs = this.#parts.clock.nowMs();
    for (const { hostId, rollUp } of this.#hosts.values())
      this.#handOver(hostId, rollUp.close(nowMs, GRACE_MS));
  }

  #handOver(hostId: string, minutes: readonly RollUp[]): void {
    const { observations, runId } = this.#parts;
    for (const { startMs, series } of minutes) {
      this.#seq += 1;
      observations.enqueue({ kind: 'telemetryMinute', hostId, atMs: startMs, runId, seq: this.#seq, series });
    }
  }

  async #readStored(
    name: string,
    plan: Extract<TelemetryPlan, { ok: true }>,
    fields: FieldSelection,
  ): Promise<StoredTelemetry> {
    const hostId = this.#hosts.get(name)?.hostId ?? this.#parts.live.host(name)?.hostId ?? null;
    if (hostId === null) return { columns: [], events: [], writtenSeq: 0 };
    const tier = plan.source === 'samples' ? null : plan.source.name;
    const { grid } = plan;
    const { runId, read } = this.#parts;
    for (let tries = 1; ; tries += 1) {
      const seqBefore = this.#seq;
      const waiting = tier === null ? [] : this.#waiting(name, hostId);
      const stored = await read({ hostId, tier, grid, fields, runId, waiting });
      // What was open when it was asked for may have been written meanwhile: it would count twice.
      if (stored.writtenSeq <= seqBefore || tier === null || tries === MAX_TRIES) return stored;
    }
  }

  /** Single samples of before this process are gone; that there were some is told by the minutes that are kept. */
  async #knownBeforeMemory(
    host: string,
    plan: Extract<TelemetryPlan, { ok: true }>,
    fields: FieldSelection,
  ): Promise<KnownToReport> {
    const [tier] = tiers;
    const startMs = Math.floor(plan.grid.startMs / tier.stepMs) * tier.stepMs;
    if (plan.source !== 'samples' || startMs >= this.#sinceMs) return () => false;
    const sinceMs = this.#sinceMs;
    const count = Math.floor((sinceMs - startMs) / tier.stepMs) + 1;
    const grid = { startMs, stepMs: tier.stepMs, count };
    const { columns } = await this.#readStored(host, { ...plan, source: tier, grid }, fields);
    const minuteEndMs = startMs + count * tier.stepMs - 1;
    const later = this.#parts.live.history(host, sinceMs, minuteEndMs).length;
    return knownFrom(grid, columns, sinceMs, later);
  }

  #waiting(name: string, hostId: string): WaitingRollUp[] {
    const open = this.#hosts.get(name)?.rollUp.open() ?? [];
    const closed = this.#parts.observations.waitingTelemetry().filter((minute) => minute.hostId === hostId);
    return [
      ...closed.map(({ atMs, seq, series }) => ({ startMs: atMs, seq, series })),
      ...open.map(({ startMs, series }) => ({ startMs, series, seq: null })),
    ];
  }

  #sampleColumns(
    name: string,
    { grid, fromMs, toMs }: Extract<TelemetryPlan, { ok: true }>,
    fields: FieldSelection,
  ) {
    const backfilled = this.#hosts.get(name)?.backfilled;
    const samples = this.#parts.live.history(name, fromMs, toMs);
    return rollUpSamples(samples, grid, fields, (atMs) => backfilled?.has(atMs) ?? false).columns();
  }
}
