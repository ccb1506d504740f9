import type { KeeperOptions, ReplicaKeeper } from '@ai-fabric/agent';
import { describeReplica } from '@ai-fabric/shared';

/**
 * Keeps a replica without a container: it is ready, and its engine is what listens on a port of loopback.
 *
 * @param portOf by deployment; `null`: requests for it are not let in now
 */
export function servedKeeper(
  portOf: (deployment: string) => number | null,
  key: string | null = null,
): (options: KeeperOptions) => ReplicaKeeper {
  return ({ desired: { deployment } }) => {
    const status = describeReplica({ deployment, phase: 'ready' });
    return {
      engineAddress: () => {
        const port = portOf(deployment);
        return port === null ? null : { host: '127.0.0.1', port, key };
      },
      change: () => true,
      logs: () => null,
      retire: () => Promise.resolve(),
      status: () => status,
      issues: () => [],
      reading: () => null,
      refreshReading: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  };
}
