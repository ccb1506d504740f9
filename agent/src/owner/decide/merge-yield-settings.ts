import type { OwnYield, YieldSettings } from '@ai-fabric/shared';

const SECONDS_PER_MINUTE = 60;
const BYTES_PER_GIGABYTE = 1e9;

/** How a host yields: as its owner says in agent.yaml, and of what that says nothing, as it was told. */
export function mergeYieldSettings(told: YieldSettings, own: OwnYield): YieldSettings {
  const { quietMinutes, vramGigabytes } = own;
  return {
    automatic: own.automatic ?? told.automatic,
    drainSeconds: own.drainSeconds ?? told.drainSeconds,
    action: own.action ?? told.action,
    quietSeconds: quietMinutes === undefined ? told.quietSeconds : quietMinutes * SECONDS_PER_MINUTE,
    vramBytes: vramGigabytes === undefined ? told.vramBytes : vramGigabytes * BYTES_PER_GIGABYTE,
    utilisationRatio: own.utilisationRatio ?? told.utilisationRatio,
  };
}
