import { type Clock, type GoodbyeReason, type Report, withoutDirectKey } from '@ai-fabric/shared';
import type {
  HostEventKind,
  KnownIssue,
  Observation,
  ObservationWriter,
} from '../registry/registry-types.js';
import type { Identity } from './decide/link-lifecycle.js';

/** Tells the registry what is seen of hosts. Never waits for it. */
export class HostJournal {
  readonly #observations: Pick<ObservationWriter, 'enqueue'>;
  readonly #clock: Clock;

  constructor(observations: Pick<ObservationWriter, 'enqueue'>, clock: Clock) {
    this.#observations = observations;
    this.#clock = clock;
  }

  linked(identity: Identity, agentVersion: string): void {
    this.#event(identity.hostId, 'linked', null);
    this.seen(identity, agentVersion, null);
  }

  seen(identity: Identity, agentVersion: string | null, clockSkewMs: number | null): void {
    this.#enqueue({
      kind: 'hostSeen',
      hostId: identity.hostId,
      atMs: this.#nowMs(),
      agentVersion,
      clockSkewMs,
    });
  }

  goodbye(hostId: string, reason: GoodbyeReason): void {
    this.#event(hostId, 'goodbye', reason);
  }

  presence(hostId: string, presence: 'late' | 'away'): void {
    this.#event(hostId, presence, null);
  }

  /** What a report holds that outlives the process. */
  report(identity: Identity, report: Report, datedIssues: readonly KnownIssue[]): void {
    const at = { hostId: identity.hostId, atMs: this.#nowMs() };
    const { inventory, issues, replicas } = report;
    if (inventory) this.#enqueue({ kind: 'hostInventory', ...at, inventory });
    if (issues) this.#enqueue({ kind: 'hostIssues', ...at, issues: datedIssues });
    if (replicas) this.#enqueue({ kind: 'hostReplicas', ...at, replicas: replicas.map(withoutDirectKey) });
  }

  #event(hostId: string, event: HostEventKind, detail: string | null): void {
    this.#enqueue({ kind: 'hostEvent', hostId, atMs: this.#nowMs(), event, detail });
  }

  #enqueue(observation: Observation): void {
    this.#observations.enqueue(observation);
  }

  #nowMs(): number {
    return this.#clock.nowMs();
  }
}
