import { MAX_TUNNEL_STREAMS } from '@ai-fabric/shared';

/** Why a question could not even be asked. */
export type TunnelObstacle = 'tunnel_down' | 'tunnel_busy' | 'not_declared';

export class TunnelObstacleError extends Error {
  override readonly name = 'TunnelObstacleError';
  readonly code: TunnelObstacle;

  constructor(code: TunnelObstacle, hostName: string) {
    super(`${OBSTACLES[code]} (host ${hostName})`);
    this.code = code;
  }
}

const OBSTACLES: Readonly<Record<TunnelObstacle, string>> = {
  tunnel_down: 'the tunnel is down',
  tunnel_busy: `the tunnel has ${MAX_TUNNEL_STREAMS} requests under way`,
  not_declared: 'this deployment is not declared there',
};
