import { isDeepStrictEqual } from 'node:util';
import type { EngineReading, ReplicaStatus, TelemetrySample } from '@ai-fabric/shared';
import type { LiveReplica } from './live-view.js';

/** The observed replicas, by deployment. Each call says what it changed, for the events. */
export class ReplicaTable {
  readonly #byDeployment = new Map<string, LiveReplica>();

  get(deployment: string): LiveReplica | undefined {
    return this.#byDeployment.get(deployment);
  }

  values(): Iterable<LiveReplica> {
    return this.#byDeployment.values();
  }

  /** Takes all statuses of a host. @param latest the host's latest sample, for a replica that comes new */
  replaceOfHost(
    host: string,
    statuses: ReadonlyMap<string, ReplicaStatus>,
    latest: TelemetrySample | null,
  ): { changed: LiveReplica[]; removed: string[] } {
    const changed: LiveReplica[] = [];
    for (const [deployment, status] of statuses) {
      const before = this.#byDeployment.get(deployment);
      if (before && before.host === host) {
        if (sameStatus(before.status, status)) continue;
        changed.push(this.#put({ ...before, status }));
        continue;
      }
      const reading = readingOf(latest, deployment);
      const readingAtMs = reading && latest ? latest.atMs : null;
      changed.push(this.#put({ deployment, host, status, reading, readingAtMs }));
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

function sameStatus(one: ReplicaStatus, other: ReplicaStatus): boolean {
  return isDeepStrictEqual(one, other);
}
