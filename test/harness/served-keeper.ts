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
  return ({ desired: { deployment }, hold, onChange }) => {
    let isHeld = hold !== null;
    return {
      engineAddress: () => {
        const port = portOf(deployment);
        return port === null || isHeld ? null : { host: '127.0.0.1', port, key };
      },
      change: () => true,
      logs: () => null,
      retire: () => Promise.resolve(),
      hold: (asked) => {
        isHeld = asked !== null;
        onChange();
        return Promise.resolve();
      },
      doubt: () => undefined,
      status: () => describeReplica({ deployment, phase: isHeld ? 'parked' : 'ready' }),
      issues: () => [],
      reading: () => null,
      refreshReading: () => Promise.resolve(),
      close: () => Promise.resolve(),
    };
  };
}
