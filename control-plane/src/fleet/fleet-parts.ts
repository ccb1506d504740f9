import type { LiveState } from '../live/live-state.js';

/** What the fleet reads and writes of the live view. */
export type FleetLive = Pick<
  LiveState,
  'hasToldReplicas' | 'host' | 'hosts' | 'replica' | 'replicas' | 'onChange' | 'setPower'
>;

/** What requests do on a host: see the router. */
export interface FleetUse {
  useOf(host: string): {
    readonly inflight: number;
    /** Of these, those that keep a host awake. */
    readonly counted: number;
    /** Monotonic: when the last one that counts ended. */
    readonly lastMs: number | null;
    readonly queued: number;
  };
}
