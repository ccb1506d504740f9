import { diffTelemetry } from '@ai-fabric/shared';
import type { FeedChange, FeedReplica } from '../feed-messages.js';
import type { Changed, HostEntry } from './feed-entry.js';
import { type FeedFilter, wantsHost } from './feed-filter.js';

type Body = Omit<FeedChange, 'type' | 'fromSeq' | 'seq' | 'atMs'>;

/**
 * What must be told to somebody who holds what `changed` says things were, so that they hold what things are now, as
 * far as the filter lets it through. Nothing of what is the same again.
 *
 * @returns `null` where that is nothing
 */
export function describeChange(
  changed: Changed,
  hosts: ReadonlyMap<string, HostEntry>,
  replicas: ReadonlyMap<string, FeedReplica>,
  filter: FeedFilter,
): Body | null {
  const body = {
    ...describeHosts(changed.hosts, hosts, filter),
    ...describeReplicas(changed.replicas, replicas, filter),
    ...describeBackfilled(changed, hosts, filter),
  };
  return Object.keys(body).length > 0 ? body : null;
}

function describeHosts(
  changed: ReadonlyMap<string, HostEntry | undefined>,
  current: ReadonlyMap<string, HostEntry>,
  filter: FeedFilter,
): Pick<Body, 'removedHosts' | 'hosts' | 'samples'> {
  if (!filter.kinds.has('hosts')) return {};
  const removedHosts: string[] = [];
  const hosts: NonNullable<Body['hosts']> = [];
  const samples: NonNullable<Body['samples']> = [];
  for (const [name, held] of changed) {
    if (!wantsHost(filter, name)) continue;
    const entry = current.get(name);
    if (held && held.generation !== entry?.generation) removedHosts.push(name);
    if (!entry) continue;
    const before = held?.generation === entry.generation ? held : undefined;
    if (entry.host !== before?.host) hosts.push(entry.host);
    if (filter.kinds.has('samples') && entry.sample && entry.sample !== before?.sample) {
      samples.push({ host: name, delta: diffTelemetry(before?.sample ?? null, entry.sample) });
    }
  }
  return {
    ...(removedHosts.length > 0 && { removedHosts }),
    ...(hosts.length > 0 && { hosts }),
    ...(samples.length > 0 && { samples }),
  };
}

function describeReplicas(
  changed: ReadonlyMap<string, FeedReplica | undefined>,
  current: ReadonlyMap<string, FeedReplica>,
  filter: FeedFilter,
): Pick<Body, 'removedReplicas' | 'replicas'> {
  if (!filter.kinds.has('replicas')) return {};
  const removedReplicas: string[] = [];
  const replicas: FeedReplica[] = [];
  // A deployment may move to another host: to who wants the former alone, its replica is gone.
  const wanted = (replica: FeedReplica | undefined) =>
    replica !== undefined && wantsHost(filter, replica.host) ? replica : undefined;
  for (const [deployment, was] of changed) {
    const held = wanted(was);
    const replica = wanted(current.get(deployment));
    if (replica && replica !== held) replicas.push(replica);
    if (!replica && held) removedReplicas.push(deployment);
  }
  return {
    ...(removedReplicas.length > 0 && { removedReplicas }),
    ...(replicas.length > 0 && { replicas }),
  };
}

function describeBackfilled(
  changed: Changed,
  hosts: ReadonlyMap<string, HostEntry>,
  filter: FeedFilter,
): Pick<Body, 'backfilled'> {
  if (!filter.kinds.has('samples')) return {};
  const backfilled = [...changed.backfilled]
    .filter(([host]) => hosts.has(host) && wantsHost(filter, host))
    .map(([host, { fromMs, toMs }]) => ({ host, fromMs, toMs }));
  return backfilled.length > 0 ? { backfilled } : {};
}
