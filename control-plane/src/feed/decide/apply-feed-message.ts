import { applyTelemetryDelta, type TelemetrySample } from '@ai-fabric/shared';
import type { FeedChange, FeedHost, FeedMessage, FeedReplica, FeedSnapshot } from '../feed-messages.js';

/** What a subscriber holds. */
export interface FeedView {
  /** With `seq` it says where to go on after a cut. */
  readonly stream: string;
  readonly seq: number;
  readonly hosts: ReadonlyMap<string, { readonly host: FeedHost; readonly sample: TelemetrySample | null }>;
  readonly replicas: ReadonlyMap<string, FeedReplica>;
}

export type Applied =
  | { readonly ok: true; readonly view: FeedView }
  /** Something was missed (subscribe anew), or the feed ends. */
  | { readonly ok: false; readonly code: 'gap' | 'goodbye'; readonly detail: string };

/** The subscriber's half of the feed: what it holds after a message. `view` is `null` before the first. */
export function applyFeedMessage(view: FeedView | null, message: FeedMessage): Applied {
  switch (message.type) {
    case 'snapshot':
      return { ok: true, view: ofSnapshot(message) };
    case 'change':
      if (view?.seq === message.fromSeq) return { ok: true, view: afterChange(view, message) };
      return {
        ok: false,
        code: 'gap',
        detail: `holds ${view?.seq ?? 'nothing'}, got a change from ${message.fromSeq}`,
      };
    case 'goodbye':
      return { ok: false, code: 'goodbye', detail: `${message.reason}: ${message.detail}` };
    default:
      return message satisfies never;
  }
}

function ofSnapshot(snapshot: FeedSnapshot): FeedView {
  return {
    stream: snapshot.stream,
    seq: snapshot.seq,
    hosts: new Map(snapshot.hosts.map((entry) => [entry.host.name, entry])),
    replicas: new Map(snapshot.replicas.map((replica) => [replica.deployment, replica])),
  };
}

function afterChange(view: FeedView, change: FeedChange): FeedView {
  const hosts = new Map(view.hosts);
  for (const name of change.removedHosts ?? []) hosts.delete(name);
  for (const host of change.hosts ?? [])
    hosts.set(host.name, { host, sample: hosts.get(host.name)?.sample ?? null });
  for (const { host, delta } of change.samples ?? []) {
    const entry = hosts.get(host);
    if (entry) hosts.set(host, { ...entry, sample: applyTelemetryDelta(entry.sample, delta) });
  }
  const replicas = new Map(view.replicas);
  for (const deployment of change.removedReplicas ?? []) replicas.delete(deployment);
  for (const replica of change.replicas ?? []) replicas.set(replica.deployment, replica);
  return { stream: view.stream, seq: change.seq, hosts, replicas };
}
