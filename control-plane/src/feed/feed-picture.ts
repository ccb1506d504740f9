import { withoutDirectKey } from '@ai-fabric/shared';
import type { LiveChange, LiveReplica, LiveView } from '../live/live-view.js';
import { type Changed, cover, type HostEntry, type Stretch, toFeedHost } from './decide/feed-entry.js';
import type { FeedReplica } from './feed-messages.js';

/** What subscribers are told of the fleet, and what of it changed since it was last told. */
export class FeedPicture {
  readonly #hosts = new Map<string, HostEntry>();
  readonly #replicas = new Map<string, FeedReplica>();
  #changedHosts = new Map<string, HostEntry | undefined>();
  #changedReplicas = new Map<string, FeedReplica | undefined>();
  #backfilled = new Map<string, Stretch>();
  #generations = 0;

  constructor(live: LiveView) {
    for (const host of live.hosts()) {
      this.#generations += 1;
      this.#hosts.set(host.name, {
        generation: this.#generations,
        host: toFeedHost(host),
        sample: host.sample,
      });
    }
    for (const replica of live.replicas()) this.#replicas.set(replica.deployment, toFeedReplica(replica));
  }

  get hosts(): ReadonlyMap<string, HostEntry> {
    return this.#hosts;
  }

  get replicas(): ReadonlyMap<string, FeedReplica> {
    return this.#replicas;
  }

  /** Closes the present step. @returns what it changed, `null` for nothing */
  commit(): Changed | null {
    if (this.#changedHosts.size + this.#changedReplicas.size + this.#backfilled.size === 0) return null;
    const changed = {
      hosts: this.#changedHosts,
      replicas: this.#changedReplicas,
      backfilled: this.#backfilled,
    };
    this.#changedHosts = new Map();
    this.#changedReplicas = new Map();
    this.#backfilled = new Map();
    return changed;
  }

  take(change: LiveChange): void {
    switch (change.kind) {
      case 'host':
        this.#takeHost(change.host);
        break;
      case 'hostRemoved':
        this.#noteHost(change.name);
        this.#hosts.delete(change.name);
        break;
      case 'sample':
        this.#takeSample(change);
        break;
      case 'replica':
        this.#noteReplica(change.replica.deployment);
        this.#replicas.set(change.replica.deployment, toFeedReplica(change.replica));
        break;
      case 'replicaRemoved':
        this.#noteReplica(change.deployment);
        this.#replicas.delete(change.deployment);
        break;
      default:
        change satisfies never;
    }
  }

  #takeHost(host: Extract<LiveChange, { kind: 'host' }>['host']): void {
    this.#noteHost(host.name);
    const before = this.#hosts.get(host.name);
    if (!before) this.#generations += 1;
    this.#hosts.set(host.name, {
      generation: before?.generation ?? this.#generations,
      host: toFeedHost(host),
      sample: host.sample,
    });
  }

  #takeSample({ host, sample, backfilled }: Extract<LiveChange, { kind: 'sample' }>): void {
    const before = this.#hosts.get(host);
    if (!before) return;
    if (backfilled) {
      const stretch = { fromMs: sample.atMs, toMs: sample.atMs };
      this.#backfilled.set(host, cover(this.#backfilled.get(host), stretch));
      if (before.sample && sample.atMs < before.sample.atMs) return;
    }
    this.#noteHost(host);
    this.#hosts.set(host, { ...before, sample });
  }

  #noteHost(name: string): void {
    if (!this.#changedHosts.has(name)) this.#changedHosts.set(name, this.#hosts.get(name));
  }

  #noteReplica(deployment: string): void {
    if (!this.#changedReplicas.has(deployment)) {
      this.#changedReplicas.set(deployment, this.#replicas.get(deployment));
    }
  }
}

function toFeedReplica({ deployment, host, status }: LiveReplica): FeedReplica {
  return { deployment, host, status: withoutDirectKey(status) };
}
