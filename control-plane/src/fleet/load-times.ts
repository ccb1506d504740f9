import type { Clock, ReplicaPhase } from '@ai-fabric/shared';
import type { LiveChange, LiveReplica } from '../live/live-view.js';
import type { FleetLive } from './fleet-parts.js';

export interface LoadTimesParts {
  readonly live: Pick<FleetLive, 'onChange'>;
  readonly clock: Clock;
}

interface Learned {
  readonly host: string;
  phase: ReplicaPhase;
  /** Monotonic; `null`: no start is under way that was seen from its beginning. */
  startedMs: number | null;
  /** Of its last starts, the latest last. */
  seconds: readonly number[];
  /** As its agent usually sees the loading alone, which remembers it for longer. */
  toldSeconds: number | null;
}

const USUAL_OF = 20;
const UNDER_WAY: ReadonlySet<ReplicaPhase> = new Set(['starting', 'loading', 'warming']);

/**
 * How long engines took from their start until they were ready, as it was seen: by that a host is guessed which was never woken.
 * A start during which weights were fetched does not count.
 */
export class LoadTimes {
  readonly #clock: Clock;
  readonly #deployments = new Map<string, Learned>();
  readonly #unfollow: () => void;

  constructor({ live, clock }: LoadTimesParts) {
    this.#clock = clock;
    this.#unfollow = live.onChange((change) => this.#follow(change));
  }

  close(): void {
    this.#unfollow();
  }

  /** The median of its last starts, else what its agent tells; `null`: neither is known. */
  usualSeconds(deployment: string): number | null {
    const learned = this.#deployments.get(deployment);
    if (learned === undefined) return null;
    const sorted = [...learned.seconds].sort((one, other) => one - other);
    return sorted[Math.ceil(sorted.length / 2) - 1] ?? learned.toldSeconds;
  }

  #follow(change: LiveChange): void {
    if (change.kind === 'replicaRemoved') this.#deployments.delete(change.deployment);
    if (change.kind === 'replica') this.#followReplica(change.replica);
  }

  #followReplica({ deployment, host, status }: LiveReplica): void {
    const { phase, usualPhaseSeconds, growth } = status;
    const known = this.#deployments.get(deployment);
    if (known === undefined || known.host !== host) {
      const learned = { host, phase, startedMs: null, seconds: [], toldSeconds: null };
      this.#deployments.set(deployment, learned);
    }
    const learned = this.#deployments.get(deployment);
    if (learned === undefined) return;
    if (phase === 'loading' && usualPhaseSeconds !== null) learned.toldSeconds = usualPhaseSeconds.p50;
    const before = learned.phase;
    learned.phase = phase;
    if (phase === 'ready' && learned.startedMs !== null) {
      const tookSeconds = (this.#clock.monotonicMs() - learned.startedMs) / 1000;
      learned.seconds = [...learned.seconds, tookSeconds].slice(-USUAL_OF);
    }
    if (!UNDER_WAY.has(phase) || (growth?.weightsBytes ?? 0) > 0) learned.startedMs = null;
    else if (known !== undefined && !UNDER_WAY.has(before)) learned.startedMs = this.#clock.monotonicMs();
  }
}
