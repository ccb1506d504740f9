import type { EngineReading, ExternalReplica, Issue, ReplicaStatus, Timer } from '@ai-fabric/shared';
import { engineReadingSensor } from '../sensors/engine/engine-reading.js';
import { type ClosableSensor, issuesOf } from '../sensors/sensor.js';
import { applyLook } from './decide/apply-look.js';
import { replicaIssues, replicaStatus } from './decide/describe-replica.js';
import { planReplicaStep } from './decide/plan-replica-step.js';
import { newObservation, type ObservedReplica } from './decide/replica-observation.js';
import { type EngineProbe, engineProbe, type LookStep } from './engine-probe.js';
import type { KeeperOptions, ReplicaKeeper } from './replica-keeper.js';

/** What a keeper of an external engine does it with; tests bring their own. */
export interface ExternalEngine {
  readonly probe: EngineProbe;
  readonly metrics: ClosableSensor<EngineReading>;
}

/**
 * A reading that is older is of no use to anybody: a queue may have come and gone in between. Read every two seconds, and
 * one that is late by one, it is no older.
 */
const READING_FRESH_MS = 3_500;
/** The server may outlive the engine behind it, and `/health` alone tells. */
const HEALTH_PERIOD_MS = 5_000;
const LOOK_SLACK_MS = 100;
/** Metrics are read by then, or their failure is known. */
const READ_AGAIN_MS = 10_000;
/** One page of metrics may be late on a busy engine. */
const METRICS_FAILURES_ALLOWED = 2;

export type ExternalKeeperOptions = KeeperOptions & { readonly desired: ExternalReplica };

/** Watches an engine that somebody else runs. Starts at once. */
export function externalKeeper(options: ExternalKeeperOptions, engine?: ExternalEngine): ReplicaKeeper {
  const { desired, clock } = options;
  const { deployment, url } = desired;
  const opened = engine ?? {
    probe: engineProbe(desired, clock),
    metrics: engineReadingSensor({ deployment, url, clock }),
  };
  const keeper = new ExternalKeeper(options, opened);
  keeper.start();
  return keeper;
}

class ExternalKeeper implements ReplicaKeeper {
  readonly #options: ExternalKeeperOptions;
  readonly #engine: ExternalEngine;
  readonly #closing = new AbortController();
  #observed: ObservedReplica;
  #timer: Timer | null = null;
  #looking: Promise<void> | null = null;
  #reading: { readonly value: EngineReading; readonly atMs: number } | null = null;
  #metricsIssues: readonly Issue[] = [];
  #metricsFailures = 0;
  #refreshing: Promise<void> | null = null;
  /** What was last told, so that only what changed is told. */
  #told = '';

  constructor(options: ExternalKeeperOptions, engine: ExternalEngine) {
    this.#options = options;
    this.#engine = engine;
    this.#observed = newObservation(options.clock.monotonicMs());
  }

  start(): void {
    this.#told = this.#signature();
    this.#next();
  }

  /** The control plane reaches it where it was declared. */
  engineAddress(): null {
    return null;
  }

  status(): ReplicaStatus {
    return replicaStatus(this.#options.desired, this.#observed);
  }

  issues(): readonly Issue[] {
    const { desired, clock } = this.#options;
    const issues = replicaIssues(desired, this.#observed, clock.monotonicMs());
    return this.#observed.phase === 'ready' && this.#metricsFailures > METRICS_FAILURES_ALLOWED
      ? [...issues, ...this.#metricsIssues]
      : issues;
  }

  reading(): EngineReading | null {
    if (this.#reading === null || this.#observed.phase !== 'ready') return null;
    const ageMs = this.#options.clock.monotonicMs() - this.#reading.atMs;
    return ageMs <= READING_FRESH_MS ? this.#reading.value : null;
  }

  async refreshReading(): Promise<void> {
    if (this.#observed.phase !== 'ready' || this.#closing.signal.aborted) return;
    // A page that takes longer than a cadence is one reading, however often it was asked for.
    this.#refreshing ??= this.#readMetrics().finally(() => {
      this.#refreshing = null;
    });
    await this.#refreshing;
  }

  async #readMetrics(): Promise<void> {
    const result = await this.#engine.metrics.read(this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    if (result.ok) {
      this.#reading = { value: result.reading, atMs: this.#options.clock.monotonicMs() };
      this.#metricsFailures = 0;
      // The process is awake now: a look that is due is made with the reading, not by a timer of its own.
      if (this.#observed.nextLookMs <= this.#reading.atMs + LOOK_SLACK_MS) this.#lookNow();
    } else {
      this.#metricsFailures += 1;
      // Whoever does not give metrics may not be there at all: looked at now, not when its turn comes.
      this.#lookNow();
    }
    this.#metricsIssues = issuesOf(result);
    this.#tell();
  }

  change(): boolean {
    return false;
  }

  hold(): Promise<void> {
    return Promise.resolve();
  }

  doubt(): void {
    if (this.#closing.signal.aborted) return;
    this.#observed = newObservation(this.#options.clock.monotonicMs());
    this.#lookNow();
    this.#tell();
  }

  logs(): null {
    return null;
  }

  retire(): Promise<void> {
    return this.close();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    this.#timer?.cancel();
    await Promise.all([this.#looking, this.#engine.metrics.close()]);
    this.#engine.probe.close();
  }

  #next(): void {
    if (this.#closing.signal.aborted) return;
    const { desired, clock } = this.#options;
    const nowMs = clock.monotonicMs();
    const step = planReplicaStep(desired, this.#observed, nowMs);
    if (step.kind !== 'wait') {
      this.#looking = this.#look(step);
      return;
    }
    this.#looking = null;
    const isRead = this.#observed.phase === 'ready' && this.reading() !== null;
    this.#timer = clock.after(step.untilMs - nowMs + (isRead ? READ_AGAIN_MS : 0), () => {
      this.#timer = null;
      this.#next();
    });
  }

  #lookNow(): void {
    if (this.#timer === null) return;
    this.#timer.cancel();
    this.#timer = null;
    this.#observed = { ...this.#observed, nextLookMs: this.#options.clock.monotonicMs() };
    this.#next();
  }

  async #look(step: LookStep): Promise<void> {
    const result = await this.#engine.probe.look(step, this.#closing.signal);
    if (this.#closing.signal.aborted) return;
    const { desired, clock, cadenceMs } = this.#options;
    // Whoever gives metrics answers; of its health it is asked more seldom then. What fails to come is looked into.
    const readyLookMs = this.reading() === null ? cadenceMs : Math.max(HEALTH_PERIOD_MS, cadenceMs);
    const cadence = { lookMs: cadenceMs, readyLookMs };
    this.#observed = applyLook(desired, this.#observed, result, clock.monotonicMs(), cadence);
    this.#tell();
    this.#next();
  }

  #tell(): void {
    const signature = this.#signature();
    if (signature === this.#told) return;
    this.#log();
    this.#told = signature;
    this.#options.onChange();
  }

  #log(): void {
    const { log, desired } = this.#options;
    const { phase, detail } = this.#observed;
    if (this.#told.startsWith(`${phase}\n`)) return;
    const fields = { deployment: desired.deployment, phase, ...(detail === null ? {} : { detail }) };
    if (phase === 'failed') log.warn(fields, 'replica: failed');
    else log.info(fields, `replica: ${phase}`);
  }

  /** All of which a change is worth telling at once: not the readings, but for the queue. */
  #signature(): string {
    const { phase, detail, engineVersion, maxModelLen } = this.#observed;
    const issues = this.issues().map(({ code }) => code);
    const waiting = this.reading()?.waiting ?? null;
    return [phase, JSON.stringify([detail, engineVersion, maxModelLen, issues, waiting])].join('\n');
  }
}
