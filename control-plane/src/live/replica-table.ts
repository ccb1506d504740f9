import { isDeepStrictEqual } from 'node:util';
import type { EngineReading, ReplicaStatus, TelemetrySample } from '@ai-fabric/shared';
import type { LiveReplica } from './live-view.js';

/** What a count of seconds and the way of a frame cannot explain. */
const PHASE_MOVED_MS = 5_000;

/** The observed replicas, by deployment. Each call says what it changed, for the events. */
export class ReplicaTable {
  readonly #byDeployment = new Map<string, LiveReplica>();

  get(deployment: string): LiveReplica | undefined {
    return this.#byDeployment.get(deployment);
  }

  values(): Iterable<LiveReplica> {
    return this.#byDeployment.values();
  }

  /**
   * Takes all statuses of a host.
   *
   * @param latest the host's latest sample, for a replica that comes new
   * @param nowMs server's clock
   */
  replaceOfHost(
    host: string,
    statuses: ReadonlyMap<string, ReplicaStatus>,
    latest: TelemetrySample | null,
    nowMs: number,
  ): { changed: LiveReplica[]; removed: string[] } {
    const changed: LiveReplica[] = [];
    for (const [deployment, status] of statuses) {
      const before = this.#byDeployment.get(deployment);
      if (before && before.host === host) {
        const phaseSinceMs = phaseBegan(status, before, nowMs);
        const sameTime = Math.abs(phaseSinceMs - before.phaseSinceMs) < PHASE_MOVED_MS;
        if (sameTime && sameStatus(before.status, status)) continue;
        changed.push(this.#put({ ...before, status, phaseSinceMs }));
        continue;
      }
      const reading = readingOf(latest, deployment);
      const readingAtMs = reading && latest ? latest.atMs : null;
      const phaseSinceMs = phaseBegan(status, null, nowMs);
      changed.push(this.#put({ deployment, host, status, phaseSinceMs, reading, readingAtMs }));
    }
    const removed = this.#removeWhere(
      (replica) => replica.host === host && !statuses.has(replica.deployment),
    );
    return { changed, removed };
  }

  /** Takes the readings of a host's latest sample. A replica that it does not list has no reading now. */
  takeReadings(host: string, declaredHere: Iterable<string>, sample: TelemetrySample): void {
    for (const deployment of declaredHere) {
      const before = this.#byDeployment.get(deployment);
      if (!before || before.host !== host) continue;
      const reading = readingOf(sample, deployment);
      if (!reading && !before.reading) continue;
      this.#put({ ...before, reading, readingAtMs: reading ? sample.atMs : null });
    }
  }

  /** @returns the deployments that are no longer declared where they were seen */
  removeUndeclared(declaredOn: (deployment: string) => string | undefined): string[] {
    return this.#removeWhere((replica) => declaredOn(replica.deployment) !== replica.host);
  }

  #put(replica: LiveReplica): LiveReplica {
    this.#byDeployment.set(replica.deployment, replica);
    return replica;
  }

  #removeWhere(leaves: (replica: LiveReplica) => boolean): string[] {
    const removed: string[] = [];
    for (const replica of this.#byDeployment.values()) {
      if (leaves(replica)) removed.push(replica.deployment);
    }
    for (const deployment of removed) this.#byDeployment.delete(deployment);
    return removed;
  }
}

function readingOf(sample: TelemetrySample | null, deployment: string): EngineReading | null {
  if (!sample || !Object.hasOwn(sample.replicas, deployment)) return null;
  return sample.replicas[deployment] ?? null;
}

/** Time that passes in a phase is no news by itself. */
function sameStatus(one: ReplicaStatus, other: ReplicaStatus): boolean {
  return isDeepStrictEqual({ ...one, phaseSeconds: null }, { ...other, phaseSeconds: null });
}

/** Of a phase that an agent counts itself, by its count: it outlasts restarts of ours. */
function phaseBegan(status: ReplicaStatus, before: LiveReplica | null, nowMs: number): number {
  if (status.phaseSeconds !== null) return Math.round(nowMs - status.phaseSeconds * 1000);
  return before?.status.phase === status.phase ? before.phaseSinceMs : nowMs;
}
