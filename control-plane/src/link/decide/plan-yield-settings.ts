import { type CommandOf, POWER_PROTOCOL_VERSION } from '@ai-fabric/shared';
import type { DeclaredState } from '../../declared/declared-state.js';

const SECONDS_PER_MINUTE = 60;
const BYTES_PER_GIGABYTE = 1e9;

/** How a host yields to its owner. `null`: nothing is declared of it, or its agent would not understand. */
export function planYieldSettings(
  declared: DeclaredState,
  hostName: string,
  protocolVersion: number,
): CommandOf<'apply_yield_settings'> | null {
  const host = declared.hosts.get(hostName);
  if (host === undefined || protocolVersion < POWER_PROTOCOL_VERSION) return null;
  const { automatic, drainSeconds, action, quietMinutes, vramGigabytes, utilisationRatio } = host.owner;
  return {
    name: 'apply_yield_settings',
    settings: {
      ...{ automatic, drainSeconds, action, utilisationRatio },
      quietSeconds: quietMinutes * SECONDS_PER_MINUTE,
      vramBytes: vramGigabytes * BYTES_PER_GIGABYTE,
    },
  };
}
