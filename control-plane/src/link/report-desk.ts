import type { Clock } from '@ai-fabric/shared';
import type { LiveState } from '../live/live-state.js';
import type { Identity, ReportFrame } from './decide/link-lifecycle.js';
import { SEEN_INTERVAL_MS } from './decide/link-limits.js';
import type { HostJournal } from './host-journal.js';
import { SeenSamples } from './intake/seen-samples.js';
import { TelemetryIntake } from './intake/telemetry-intake.js';
import type { LinkEntry } from './link-entry.js';
import type { LinkLog } from './link-log.js';

/** What was dropped of reports, since start. */
export interface ReportCounters {
  duplicateSamples: number;
  misplacedSamples: number;
  /** Replicas and readings of what is not declared on the host that reports them. */
  disbelieved: number;
}

export interface ReportDeskParts {
  readonly live: LiveState;
  readonly journal: HostJournal;
  readonly clock: Clock;
  readonly log: LinkLog;
}

/** Takes reports in: telemetry into the live view, what lasts into the registry. */
export class ReportDesk {
  readonly counters: ReportCounters = { duplicateSamples: 0, misplacedSamples: 0, disbelieved: 0 };
  readonly #parts: ReportDeskParts;
  /** By host, across links: of the agent process that was linked last. */
  readonly #seen = new Map<string, SeenSamples>();

  constructor(parts: ReportDeskParts) {
    this.#parts = parts;
  }

  /** A link begins: its first sample is complete, and what its process sent before is known. */
  open(hostName: string, instanceId: string): NonNullable<LinkEntry['telemetry']> {
    let seen = this.#seen.get(hostName);
    if (seen?.instanceId !== instanceId) {
      seen = new SeenSamples(instanceId);
      this.#seen.set(hostName, seen);
    }
    return { seen, intake: new TelemetryIntake(seen) };
  }

  /** @returns what is wrong with it, `null` when it was taken */
  take(entry: LinkEntry, identity: Identity, frame: ReportFrame): string | null {
    const { live, journal, clock } = this.#parts;
    const report = frame.body;
    const receivedAtMs = clock.nowMs();
    const taken = entry.telemetry?.intake.take(report, receivedAtMs, frame.sentAtMs);
    if (!taken) return 'a report before the welcome';
    if (!taken.ok) return taken.detail;
    const clockSkewMs = Math.round(receivedAtMs - frame.sentAtMs);
    const { inventory, replicas, orphans, issues, droppedSamples, owner, upgrade } = report;
    const disbelieved = live.takeReport(identity.hostName, {
      clockSkewMs,
      samples: taken.samples,
      inventory,
      replicas,
      issues,
      orphans,
      droppedSamples,
      owner,
      upgrade,
    });
    journal.report(identity, report, live.agentIssues(identity.hostName));
    this.#tellSeen(entry, identity, clockSkewMs);
    this.#count(identity, taken.duplicates, taken.misplaced, disbelieved);
    return null;
  }

  #tellSeen(entry: LinkEntry, identity: Identity, clockSkewMs: number): void {
    const nowMs = this.#parts.clock.monotonicMs();
    if (nowMs - entry.seenToldAtMs < SEEN_INTERVAL_MS) return;
    entry.seenToldAtMs = nowMs;
    this.#parts.journal.seen(identity, null, clockSkewMs);
  }

  #count(identity: Identity, duplicates: number, misplaced: number, disbelieved: number): void {
    this.counters.duplicateSamples += duplicates;
    this.counters.misplacedSamples += misplaced;
    this.counters.disbelieved += disbelieved;
    this.#parts.log.disbelieved(identity.hostName, misplaced, disbelieved);
  }
}
