import { diffTelemetry } from '@ai-fabric/shared';
import type { FeedChange, FeedReplica } from '../feed-messages.js';
import type { Changed, HostEntry } from './feed-entry.js';

type Body = Omit<FeedChange, 'type' | 'fromSeq' | 'seq' | 'atMs'>;

/**
 * What must be told to somebody who holds what `changed` says things were, so that they hold what things are now.
 * Nothing of what is the same again.
 */
export function describeChange(
  changed: Changed,
  hosts: ReadonlyMap<string, HostEntry>,
  replicas: ReadonlyMap<string, FeedReplica>,
): Body {
  const body = { ...describeHosts(changed.hosts, hosts), ...describeReplicas(changed.replicas, replicas) };
  const backfilled = [...changed.backfilled]
    .filter(([host]) => hosts.has(host))
    .map(([host, { fromMs, toMs }]) => ({ host, fromMs, toMs }));
  return backfilled.length > 0 ? { ...body, backfilled } : body;
}

function describeHosts(
  changed: ReadonlyMap<string, HostEntry | undefined>,
  current: ReadonlyMap<string, HostEntry>,
): Pick<Body, 'removedHosts' | 'hosts' | 'samples'> {
  const removedHosts: string[] = [];
  const hosts: NonNullable<Body['hosts']> = [];
  const samples: NonNullable<Body['samples']> = [];
  for (const [name, held] of changed) {
    const entry = current.get(name);
    if (held && held.generation !== entry?.generation) removedHosts.push(name);
    if (!entry) continue;
    const before = held?.generation === entry.generation ? held : undefined;
    if (entry.host !== before?.host) hosts.push(entry.host);
    if (entry.sample && entry.sample !== before?.sample) {
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
): Pick<Body, 'removedReplicas' | 'replicas'> {
  const removedReplicas: string[] = [];
  const replicas: FeedReplica[] = [];
  for (const [deployment, held] of changed) {
    const replica = current.get(deployment);
    if (replica && replica !== held) replicas.push(replica);
    if (!replica && held) removedReplicas.push(deployment);
  }
  return {
    ...(removedReplicas.length > 0 && { removedReplicas }),
    ...(replicas.length > 0 && { replicas }),
  };
}
