import type { TelemetrySample } from '@ai-fabric/shared';
import type { LiveHost } from '../../live/live-view.js';
import type { FeedHost, FeedReplica } from '../feed-messages.js';

/** What subscribers are told of one host, as one value. Never changed, only replaced. */
export interface HostEntry {
  /** Another for a host that went and came again: nothing of the former one holds. */
  readonly generation: number;
  readonly host: FeedHost;
  readonly sample: TelemetrySample | null;
}

/** What things were before they changed, `undefined` for what was not there; and what was filled in of the past. */
export interface Changed {
  readonly hosts: ReadonlyMap<string, HostEntry | undefined>;
  readonly replicas: ReadonlyMap<string, FeedReplica | undefined>;
  readonly backfilled: ReadonlyMap<string, Stretch>;
}

/** Server's clock, both ends included. */
export interface Stretch {
  readonly fromMs: number;
  readonly toMs: number;
}

export function toFeedHost(live: LiveHost): FeedHost {
  const { sample: _, ...host } = live;
  return host;
}

/** The shortest stretch that covers both. */
export function cover(one: Stretch | undefined, other: Stretch): Stretch {
  if (!one) return other;
  return { fromMs: Math.min(one.fromMs, other.fromMs), toMs: Math.max(one.toMs, other.toMs) };
}
