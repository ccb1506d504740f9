import type { Clock, ReplicaPhase } from '@ai-fabric/shared';
import type { DeclaredSource } from '../declared/declared-state.js';
import type { LiveChange, LiveReplica } from '../live/live-view.js';
import type { LoadRecord } from '../registry/power-types.js';
import type { FleetLive } from './fleet-parts.js';
import type { PowerMemory } from './power-memory.js';

export interface LoadTimesParts {
  readonly live: Pick<FleetLive, 'onChange' | 'host' | 'replicas'>;
  readonly declared: Pick<DeclaredSource, 'current'>;
  readonly memory: Pick<PowerMemory, 'loadOf' | 'loads'>;
  readonly clock: Clock;
}

/** A replica as it was seen last. */
interface Seen {
  readonly host: string;
  /** `null`: not since this process began. */
  phase: ReplicaPhase | null;
  /** Monotonic; `null`: no start is under way that was seen from its beginning. */
  startedMs: number | null;
}

const USUAL_OF = 20;
const UNDER_WAY: ReadonlySet<ReplicaPhase> = new Set(['starting', 'loading', 'warming']);
const NOTHING: LoadRecord = { seconds: [], toldSeconds: null };

/**
 * How long engines took from their start until they were ready, as it was seen, by this process or one before it: by that a
 * host is guessed which was never woken. A start during which weights were fetched does not count.
 */
export class LoadTimes {
  readonly #parts: LoadTimesParts;
  readonly #seen = new Map<string, Seen>();
  readonly #unfollow: () => void;

  constructor(parts: LoadTimesParts) {
    this.#parts = parts;
    for (const { deployment, host } of parts.live.replicas()) {
      this.#seen.set(deployment, { host, phase: null, startedMs: null });
    }
    this.#unfollow = parts.live.onChange((change) => this.#follow(change));
  }

  close(): void {
    this.#unfollow();
  }

  /** The median of its last starts, else what its agent tells; `null`: neither is known. */
  usualSeconds(deployment: string): number | null {
    const host = this.#parts.declared.current().deployments.get(deployment)?.host;
    const { seconds, toldSeconds } = this.#recordOf(host, deployment);
    const sorted = [...seconds].sort((one, other) => one - other);
    return sorted[Math.ceil(sorted.length / 2) - 1] ?? toldSeconds;
  }

  #follow(change: LiveChange): void {
    if (change.kind === 'replicaRemoved') this.#forget(change.deployment);
    if (change.kind === 'replica') this.#followReplica(change.replica);
  }

  /** An agent that tells of none at the moment forgets nothing: only who declares it elsewhere, or no more, does. */
  #forget(deployment: string): void {
    const { declared } = this.#parts;
    const host = this.#seen.get(deployment)?.host;
    this.#seen.delete(deployment);
    if (declared.current().deployments.get(deployment)?.host !== host) this.#keep(host, deployment, NOTHING);
  }

  #followReplica({ deployment, host, status }: LiveReplica): void {
    const { clock } = this.#parts;
    const { phase, usualPhaseSeconds, growth } = status;
    const known = this.#seen.get(deployment);
    const seen = known?.host === host ? known : { host, phase: null, startedMs: null };
    this.#seen.set(deployment, seen);
    if (phase === 'loading' && usualPhaseSeconds !== null) {
      const record = this.#recordOf(host, deployment);
      const toldSeconds = usualPhaseSeconds.p50;
      if (record.toldSeconds !== toldSeconds) this.#keep(host, deployment, { ...record, toldSeconds });
    }
    const before = seen.phase;
    seen.phase = phase;
    if (phase === 'ready' && seen.startedMs !== null) {
      const tookSeconds = (clock.monotonicMs() - seen.startedMs) / 1000;
      const record = this.#recordOf(host, deployment);
      this.#keep(host, deployment, {
        ...record,
        seconds: [...record.seconds, tookSeconds].slice(-USUAL_OF),
      });
    }
    if (!UNDER_WAY.has(phase) || (growth?.weightsBytes ?? 0) > 0) seen.startedMs = null;
    else if (before !== null && !UNDER_WAY.has(before)) seen.startedMs = clock.monotonicMs();
  }

  #recordOf(host: string | undefined, deployment: string): LoadRecord {
    const hostId = this.#idOf(host);
    return hostId === null ? NOTHING : (this.#parts.memory.loadOf(hostId, deployment) ?? NOTHING);
  }

  #keep(host: string | undefined, deployment: string, record: LoadRecord): void {
    const hostId = this.#idOf(host);
    if (hostId !== null) this.#parts.memory.loads(hostId, deployment, record);
  }

  #idOf(host: string | undefined): string | null {
    return host === undefined ? null : (this.#parts.live.host(host)?.hostId ?? null);
  }
}
