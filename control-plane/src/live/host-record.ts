import type {
  HostInventory,
  Issue,
  Orphan,
  OwnerReport,
  TelemetrySample,
  UpgradeReport,
} from '@ai-fabric/shared';
import type { PresenceState } from './decide/advance-presence.js';
import { datedIssues, mergeIssues, sameIssues } from './decide/merge-issues.js';
import { SampleHistory } from './history/sample-history.js';
import { type HostPower, UNKNOWN_POWER } from './host-power.js';
import type { LiveHost, LiveIssue } from './live-view.js';

/** One host of the live view: what is written, and the value that readers get, made anew when it was changed. */
export class HostRecord {
  readonly name: string;
  hostId: string | null = null;
  declared = false;
  presence: PresenceState;
  goodbyeReason: string | null = null;
  /** Wall clock. */
  lastSeenMs: number | null = null;
  agentVersion: string | null = null;
  agentCommit: string | null = null;
  agentPackaged: boolean | null = null;
  protocolVersion: number | null = null;
  peerAddress: string | null = null;
  clockSkewMs: number | null = null;
  draining = false;
  tunnelUp = false;
  revokedAtMs: number | null = null;
  inventory: HostInventory | null = null;
  sample: TelemetrySample | null = null;
  orphans: readonly Orphan[] = [];
  droppedSamples = 0;
  owner: OwnerReport | null = null;
  ownerSinceMs: number | null = null;
  power: HostPower = UNKNOWN_POWER;
  upgrade: UpgradeReport | null = null;
  /** On this link: before that they are what they were on the one before. */
  replicasTold = false;
  /** Deployments of the last report of replicas, believed or not. */
  reportedReplicas: readonly string[] = [];
  readonly history = new SampleHistory();
  readonly #ownIssues = new Map<string, Issue>();
  #agentIssues: readonly Issue[] = [];
  #issues: readonly LiveIssue[] = [];
  #view: LiveHost | null = null;

  constructor(name: string, presence: PresenceState) {
    this.name = name;
    this.presence = presence;
  }

  get view(): LiveHost {
    this.#view ??= this.#build();
    return this.#view;
  }

  /** Call after any write. */
  touch(): void {
    this.#view = null;
  }

  /** @returns whether the host's issues are others now */
  setAgentIssues(issues: readonly Issue[], nowMs: number): boolean {
    this.#agentIssues = issues;
    return this.#mergeIssues(nowMs);
  }

  /** @returns whether the host's issues are others now */
  raiseIssue(issue: Issue, nowMs: number): boolean {
    this.#ownIssues.set(issue.code, issue);
    return this.#mergeIssues(nowMs);
  }

  /** @returns whether the host's issues are others now */
  clearIssue(code: string, nowMs: number): boolean {
    return this.#ownIssues.delete(code) && this.#mergeIssues(nowMs);
  }

  hasOwnIssue(code: string): boolean {
    return this.#ownIssues.has(code);
  }

  /** The agent's issues, with the time since which each is known. */
  get agentIssues(): readonly LiveIssue[] {
    return this.#issues.filter(({ code }) => !this.#ownIssues.has(code));
  }

  #mergeIssues(nowMs: number): boolean {
    const merged = mergeIssues([...this.#ownIssues.values()], this.#agentIssues);
    if (sameIssues(merged, this.#issues)) return false;
    this.#issues = datedIssues(merged, this.#issues, nowMs);
    this.touch();
    return true;
  }

  #build(): LiveHost {
    return {
      name: this.name,
      hostId: this.hostId,
      presence: this.presence.presence,
      presenceSinceMs: this.presence.sinceMs,
      goodbyeReason: this.goodbyeReason,
      lastSeenMs: this.lastSeenMs,
      agentVersion: this.agentVersion,
      agentCommit: this.agentCommit,
      agentPackaged: this.agentPackaged,
      protocolVersion: this.protocolVersion,
      peerAddress: this.peerAddress,
      clockSkewMs: this.clockSkewMs,
      draining: this.draining,
      tunnelUp: this.tunnelUp,
      revokedAtMs: this.revokedAtMs,
      inventory: this.inventory,
      sample: this.sample,
      issues: this.#issues,
      orphans: this.orphans,
      droppedSamples: this.droppedSamples,
      owner: this.owner,
      ownerSinceMs: this.ownerSinceMs,
      power: this.power,
      upgrade: this.upgrade,
    };
  }
}
