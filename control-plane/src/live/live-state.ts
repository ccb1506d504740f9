import type { Clock, Issue, IssueCode, Orphan, TelemetrySample, UpgradeReport } from '@ai-fabric/shared';
import type { Logger } from 'pino';
import type { DeclaredState } from '../declared/declared-state.js';
import { ChangeListeners } from './change-listeners.js';
import { advancePresence, type Moment, type PresenceEvent, presenceOf } from './decide/advance-presence.js';
import { believeSample } from './decide/believe-sample.js';
import { clockSkewIssue, judgeClockSkew } from './decide/judge-clock-skew.js';
import { upgradeIssue } from './decide/upgrade-issue.js';
import { HISTORY_MS } from './history/sample-history.js';
import type { HostPower } from './host-power.js';
import { HostRecord } from './host-record.js';
import type { HostReport, KnownHost, LinkedHost, PresenceChange } from './live-report.js';
import type { LiveChange, LiveHost, LiveIssue, LiveReplica, LiveView } from './live-view.js';
import { ReplicaTable } from './replica-table.js';

/** A skew that moved by less is not worth an event. */
const SKEW_WORTH_TELLING_MS = 1_000;
/** A sample further ahead than this of one received now was placed before the server's clock was set back. */
const FUTURE_MS = 60_000;
const FORGET_EVERY_MS = 60_000;

const NONE: ReadonlySet<string> = new Set();
const TICK: PresenceEvent = { kind: 'tick' };

/** The in-memory picture of the fleet. The link writes it, everybody else reads it as `LiveView`. */
export class LiveState implements LiveView {
  readonly #clock: Clock;
  readonly #listeners: ChangeListeners;
  readonly #hosts = new Map<string, HostRecord>();
  readonly #replicas = new ReplicaTable();
  #declaredOnHost = new Map<string, Set<string>>();
  #forgotAtMs = 0;

  constructor(parts: { readonly clock: Clock; readonly log: Logger }) {
    this.#clock = parts.clock;
    this.#listeners = new ChangeListeners(parts.clock, parts.log);
  }

  *hosts(): Iterable<LiveHost> {
    for (const record of this.#hosts.values()) yield record.view;
  }

  host(name: string): LiveHost | undefined {
    return this.#hosts.get(name)?.view;
  }

  replica(deployment: string): LiveReplica | undefined {
    return this.#replicas.get(deployment);
  }

  replicas(): Iterable<LiveReplica> {
    return this.#replicas.values();
  }

  undeclaredReplicas(host: string): readonly string[] {
    const declaredHere = this.#declaredOnHost.get(host) ?? NONE;
    return (this.#hosts.get(host)?.reportedReplicas ?? []).filter((name) => !declaredHere.has(name));
  }

  history(host: string, fromMs: number, toMs: number): readonly TelemetrySample[] {
    const record = this.#hosts.get(host);
    if (!record) return [];
    return record.history.between(Math.max(fromMs, this.#clock.nowMs() - HISTORY_MS), toMs);
  }

  /** Whether its agent has told of the host's replicas on this link: before that they are what they were on the one before. */
  hasToldReplicas(name: string): boolean {
    return this.#hosts.get(name)?.replicasTold ?? false;
  }

  onChange(listener: (change: LiveChange) => void): () => void {
    return this.#listeners.add(listener);
  }

  /** Shows, after a restart, every host that is known, away, with what was last known of it. Call once, first. */
  seed(known: Iterable<KnownHost>, declared: DeclaredState): void {
    this.#indexDeployments(declared);
    for (const host of known) {
      const record = this.#record(host.name);
      record.presence = presenceOf('away', host.lastSeenMs ?? this.#clock.nowMs());
      record.hostId = host.hostId;
      record.draining = host.draining;
      record.revokedAtMs = host.revokedAtMs;
      record.lastSeenMs = host.lastSeenMs;
      record.goodbyeReason = host.lastGoodbyeReason;
      record.agentVersion = host.agentVersion;
      record.clockSkewMs = host.clockSkewMs;
      record.inventory = host.inventory;
      record.setAgentIssues(host.lastIssues, host.lastSeenMs ?? this.#clock.nowMs());
      record.touch();
      this.#takeReplicas(record, host.lastReplicas);
    }
    this.applyDeclared(declared);
  }

  /** Follows a change of the declared state: hosts that are new or gone, replicas that are no longer declared. */
  applyDeclared(declared: DeclaredState): void {
    this.#indexDeployments(declared);
    for (const record of this.#hosts.values()) record.declared = declared.hosts.has(record.name);
    for (const name of declared.hosts.keys()) {
      if (this.#hosts.has(name)) continue;
      this.#record(name).declared = true;
      this.#tellHost(this.#record(name));
    }
    for (const record of this.#hosts.values()) {
      if (record.declared || record.hostId !== null) continue;
      this.#hosts.delete(record.name);
      this.#listeners.tell({ kind: 'hostRemoved', name: record.name });
    }
    const hostOf = (deployment: string) => declared.deployments.get(deployment)?.host;
    for (const deployment of this.#replicas.removeUndeclared(hostOf)) {
      this.#listeners.tell({ kind: 'replicaRemoved', deployment });
    }
  }

  hostLinked(host: LinkedHost): void {
    const record = this.#record(host.name);
    record.hostId = host.hostId;
    record.agentVersion = host.agentVersion;
    record.agentCommit = host.commit ?? null;
    record.agentPackaged = host.packaged ?? null;
    record.protocolVersion = host.protocolVersion ?? null;
    record.upgrade = null;
    record.clearIssue('upgrade_failed', this.#clock.nowMs());
    record.peerAddress = host.peerAddress;
    record.draining = host.draining;
    record.revokedAtMs = null;
    record.goodbyeReason = null;
    record.owner = null;
    record.ownerSinceMs = null;
    record.replicasTold = false;
    record.lastSeenMs = this.#clock.nowMs();
    this.#advance(record, { kind: 'linked' });
    this.#tellHost(record);
  }

  /** Any frame or pong of its link. */
  heardFrom(name: string): void {
    const record = this.#hosts.get(name);
    if (!record) return;
    record.lastSeenMs = this.#clock.nowMs();
    record.touch();
    if (this.#advance(record, { kind: 'heard' })) this.#tellHost(record);
  }

  /**
   * Its link ended.
   *
   * @param final away now, whatever its silence says: it told that it goes, or was silent for too long
   * @param goodbyeReason what it said, `null` for nothing
   */
  hostUnlinked(name: string, final: boolean, goodbyeReason: string | null): void {
    const record = this.#hosts.get(name);
    if (!record) return;
    record.goodbyeReason = goodbyeReason;
    this.#advance(record, { kind: 'unlinked', final });
    this.#tellHost(record);
  }

  /** @returns how many replicas and readings were not believed: their deployments are not declared on this host */
  takeReport(name: string, report: HostReport): number {
    const record = this.#hosts.get(name);
    if (!record) return 0;
    let changed = this.#takeSkew(record, report.clockSkewMs);
    if (report.inventory) {
      record.inventory = report.inventory;
      changed = true;
    }
    if (report.droppedSamples !== undefined && report.droppedSamples !== record.droppedSamples) {
      record.droppedSamples = report.droppedSamples;
      changed = true;
    }
    if (report.owner) {
      record.owner = report.owner;
      record.ownerSinceMs = this.#clock.nowMs() - report.owner.stateSeconds * 1000;
      changed = true;
    }
    if (report.upgrade !== undefined && !sameUpgrade(report.upgrade, record.upgrade)) {
      record.upgrade = report.upgrade;
      this.#judgeUpgrade(record);
      changed = true;
    }
    if (report.replicas && !record.replicasTold) {
      record.replicasTold = true;
      changed = true;
    }
    if (report.issues && record.setAgentIssues(report.issues, this.#clock.nowMs())) changed = true;
    if (report.orphans && !sameOrphans(report.orphans, record.orphans)) {
      record.orphans = report.orphans;
      changed = true;
    }
    record.touch();
    let disbelieved = report.replicas ? this.#takeReplicas(record, report.replicas) : 0;
    for (const placed of report.samples) disbelieved += this.#takeSample(record, placed);
    if (changed) this.#tellHost(record);
    return disbelieved;
  }

  raiseIssue(name: string, issue: Issue): void {
    const record = this.#hosts.get(name);
    if (record?.raiseIssue(issue, this.#clock.nowMs())) this.#tellHost(record);
  }

  clearIssue(name: string, code: IssueCode): void {
    const record = this.#hosts.get(name);
    if (record?.clearIssue(code, this.#clock.nowMs())) this.#tellHost(record);
  }

  setDraining(name: string, draining: boolean): void {
    const record = this.#hosts.get(name);
    if (!record || record.draining === draining) return;
    record.draining = draining;
    this.#tellHost(record);
  }

  /** Of the fleet. A value that is equal to the one before must be the same one. */
  setPower(name: string, power: HostPower): void {
    const record = this.#hosts.get(name);
    if (!record || record.power === power) return;
    record.power = power;
    this.#tellHost(record);
  }

  /** A host that is removed meanwhile has nobody to tell of it. */
  setTunnelUp(name: string, tunnelUp: boolean): void {
    const record = this.#hosts.get(name);
    if (!record || record.tunnelUp === tunnelUp) return;
    record.tunnelUp = tunnelUp;
    this.#tellHost(record);
  }

  /** The issues that its agent told last, each with the time since which it is known. */
  agentIssues(name: string): readonly LiveIssue[] {
    return this.#hosts.get(name)?.agentIssues ?? [];
  }

  setRevoked(name: string, revokedAtMs: number): void {
    const record = this.#hosts.get(name);
    if (!record || record.revokedAtMs === revokedAtMs) return;
    record.revokedAtMs = revokedAtMs;
    this.#tellHost(record);
  }

  /** Forgets a host and all that was seen of it. One that is declared is there again, unseen. */
  removeHost(name: string): void {
    const record = this.#hosts.get(name);
    if (!record) return;
    this.#takeReplicas(record, []);
    this.#hosts.delete(name);
    this.#listeners.tell({ kind: 'hostRemoved', name });
    if (!record.declared) return;
    this.#record(name).declared = true;
    this.#tellHost(this.#record(name));
  }

  /** This process stood still for so long: whoever was silent meanwhile may have spoken. */
  forgiveSilence(stalledMs: number): void {
    const nowMs = this.#clock.monotonicMs();
    for (const record of this.#hosts.values()) {
      const { heardAtMs } = record.presence;
      if (heardAtMs === null) continue;
      record.presence = { ...record.presence, heardAtMs: Math.min(nowMs, heardAtMs + stalledMs) };
    }
  }

  /** Once a second: silence makes a host late, then away. @returns those that it made so now */
  tick(): readonly PresenceChange[] {
    const changes: PresenceChange[] = [];
    const at = this.#now();
    for (const record of this.#hosts.values()) {
      if (!this.#advance(record, TICK, at)) continue;
      this.#tellHost(record);
      const presence = record.presence.presence;
      if (presence !== 'late' && presence !== 'away') continue;
      changes.push({ name: record.name, hostId: record.hostId, presence });
    }
    this.#forgetOld();
    return changes;
  }

  #takeSample(record: HostRecord, placed: HostReport['samples'][number]): number {
    const declaredHere = this.#declaredOnHost.get(record.name) ?? NONE;
    const sample = believeSample(placed.sample, declaredHere);
    const nowMs = this.#clock.nowMs();
    if (!placed.backfilled) record.history.forgetAfter(Math.max(sample.atMs, nowMs) + FUTURE_MS);
    if (sample.atMs >= nowMs - HISTORY_MS) record.history.insert(sample);
    if (!placed.backfilled || sample.atMs >= (record.sample?.atMs ?? Number.NEGATIVE_INFINITY)) {
      record.sample = sample;
      record.touch();
      this.#replicas.takeReadings(record.name, declaredHere, sample);
    }
    this.#listeners.tell({ kind: 'sample', host: record.name, sample, backfilled: placed.backfilled });
    if (sample === placed.sample) return 0;
    return Object.keys(placed.sample.replicas).length - Object.keys(sample.replicas).length;
  }

  #takeReplicas(record: HostRecord, statuses: NonNullable<HostReport['replicas']>): number {
    const declaredHere = this.#declaredOnHost.get(record.name) ?? NONE;
    const believed = new Map(
      statuses
        .filter((status) => declaredHere.has(status.deployment))
        .map((status) => [status.deployment, status]),
    );
    record.reportedReplicas = statuses.map(({ deployment }) => deployment);
    const { changed, removed } = this.#replicas.replaceOfHost(
      record.name,
      believed,
      record.sample,
      this.#clock.nowMs(),
    );
    for (const replica of changed) this.#listeners.tell({ kind: 'replica', replica });
    for (const deployment of removed) this.#listeners.tell({ kind: 'replicaRemoved', deployment });
    return statuses.filter((status) => !declaredHere.has(status.deployment)).length;
  }

  #takeSkew(record: HostRecord, skewMs: number): boolean {
    const raised = record.hasOwnIssue('clock_skew');
    const apart = judgeClockSkew(raised, skewMs);
    const moved =
      Math.abs(skewMs - (record.clockSkewMs ?? Number.POSITIVE_INFINITY)) >= SKEW_WORTH_TELLING_MS;
    if (!moved && apart === raised) return false;
    record.clockSkewMs = skewMs;
    if (apart) record.raiseIssue(clockSkewIssue(skewMs), this.#clock.nowMs());
    else record.clearIssue('clock_skew', this.#clock.nowMs());
    return true;
  }

  #judgeUpgrade(record: HostRecord): void {
    const issue = upgradeIssue(record.upgrade);
    if (issue === null) record.clearIssue('upgrade_failed', this.#clock.nowMs());
    else record.raiseIssue(issue, this.#clock.nowMs());
  }

  #record(name: string): HostRecord {
    let record = this.#hosts.get(name);
    if (!record) {
      record = new HostRecord(name, presenceOf('unseen', this.#clock.nowMs()));
      this.#hosts.set(name, record);
    }
    return record;
  }

  #now(): Moment {
    return { monotonicMs: this.#clock.monotonicMs(), wallMs: this.#clock.nowMs() };
  }

  #advance(record: HostRecord, event: PresenceEvent, at = this.#now()): boolean {
    const before = record.presence;
    record.presence = advancePresence(before, event, at);
    return record.presence.presence !== before.presence;
  }

  #tellHost(record: HostRecord): void {
    record.touch();
    this.#listeners.tell({ kind: 'host', host: record.view });
  }

  #indexDeployments(declared: DeclaredState): void {
    const index = new Map<string, Set<string>>();
    for (const deployment of declared.deployments.values()) {
      const names = index.get(deployment.host) ?? new Set();
      index.set(deployment.host, names.add(deployment.name));
    }
    this.#declaredOnHost = index;
  }

  #forgetOld(): void {
    const nowMs = this.#clock.monotonicMs();
    if (nowMs - this.#forgotAtMs < FORGET_EVERY_MS) return;
    this.#forgotAtMs = nowMs;
    const horizonMs = this.#clock.nowMs() - HISTORY_MS;
    for (const record of this.#hosts.values()) record.history.forgetBefore(horizonMs);
  }
}

function sameUpgrade(one: UpgradeReport | null, other: UpgradeReport | null): boolean {
  return JSON.stringify(one) === JSON.stringify(other);
}

function sameOrphans(some: readonly Orphan[], others: readonly Orphan[]): boolean {
  return JSON.stringify(some) === JSON.stringify(others);
}
