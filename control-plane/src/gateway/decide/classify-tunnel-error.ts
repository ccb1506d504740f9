import type { TunnelErrorCode } from '@ai-fabric/shared';
import type { TunnelObstacle } from '../../tunnel/tunnel-obstacle.js';
import { type AttemptFailure, type AttemptFailureCode, attemptFailure } from './attempt-failure.js';

const BY_CODE: Readonly<Record<TunnelErrorCode, AttemptFailureCode>> = {
  // An agent older than the endpoint: whatever else it serves, it serves as before.
  path_not_allowed: 'endpoint_unknown_there',
  method_not_allowed: 'tunnel_refused',
  bad_request: 'tunnel_refused',
  // The replica drains or stops, and the router has not heard of it yet: it is not to be counted as a failure.
  no_engine: 'tunnel_busy',
  too_many_streams: 'tunnel_busy',
  engine_refused: 'connect_refused',
  engine_stale: 'reset',
  engine_reset: 'reset',
  engine_failed: 'protocol_error',
  internal: 'tunnel_refused',
};

/** What the agent's own word for a request that it did not pass on means to an attempt. */
export function classifyTunnelError(code: TunnelErrorCode): AttemptFailure {
  return attemptFailure(BY_CODE[code], `the agent at the end of the tunnel says: ${code}`);
}

const BY_OBSTACLE: Readonly<Record<TunnelObstacle, AttemptFailureCode>> = {
  tunnel_down: 'tunnel_down',
  tunnel_busy: 'tunnel_busy',
  not_declared: 'tunnel_refused',
};

export function describeObstacle(obstacle: TunnelObstacle, host: string): AttemptFailure {
  return attemptFailure(BY_OBSTACLE[obstacle], `tunnel of host ${host}: ${obstacle}`);
}
