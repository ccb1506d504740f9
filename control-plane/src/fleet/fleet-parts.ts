import type { LiveState } from '../live/live-state.js';

/** What the fleet reads and writes of the live view. */
export type FleetLive = Pick<LiveState, 'host' | 'hosts' | 'replica' | 'replicas' | 'onChange' | 'setPower'>;
