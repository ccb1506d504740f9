import {
  type Clock,
  type HostPowerFacts,
  type NetworkInterface,
  powerVerbSchema,
  type WakeArming,
} from '@ai-fabric/shared';
import type { HelperAnswer } from '../../root-helper/helper-verbs.js';
import type { RootHelper } from '../../root-helper/root-helper.js';
import { ownEthtool, type ReadEthtool, readLinuxArming, readLinuxPowerFacts } from './linux-power-facts.js';
import type { PhysicalInterface } from './network-interfaces.js';
import { slowToolText, toolText } from './tool-text.js';
import { readWindowsPowerFacts } from './windows-power-facts.js';

export interface PowerFactsOptions {
  readonly platform: NodeJS.Platform;
  readonly windowsDirectory: string;
  readonly clock: Clock;
  /** Where nothing is done to the power of this machine, everything can be. */
  readonly powerShimPath: string | null;
  /** Who tells what only root is told; `null`: nobody. */
  readonly helper: RootHelper | null;
}

export interface PowerFacts {
  readonly interfaces: NetworkInterface[];
  /** `null`: of this system nothing is known. */
  readonly power: HostPowerFacts | null;
}

/** Asking costs four processes, on Windows a PowerShell, and little of it changes without a restart. */
const FRESH_MS = 900_000;

/** What the machine can do with its power, and which of its interfaces wake it; for the slow lane. */
export function powerFactsReader(
  options: PowerFactsOptions,
): (interfaces: readonly PhysicalInterface[]) => Promise<PowerFacts> {
  const { platform, clock, windowsDirectory, powerShimPath, helper } = options;
  const onLinux = remembered(clock, () => readLinuxPowerFacts(toolText, helper !== null));
  const readEthtool = helper === null ? ownEthtool(toolText) : helpedEthtool(helper, clock);
  const onWindows = remembered(clock, () =>
    readWindowsPowerFacts({ windowsDirectory, toolText, slowToolText }),
  );
  return async (interfaces) => {
    if (platform !== 'linux' && platform !== 'win32') {
      return { interfaces: interfaces.map(({ facts }) => facts), power: null };
    }
    const found = platform === 'linux' ? { power: await onLinux(), arming: null } : await onWindows();
    const armed = await Promise.all(
      interfaces.map(async ({ facts, device }) => {
        if (facts.wake !== undefined) return facts;
        const { arming } = found;
        const wake =
          arming === null ? await readLinuxArming(device, readEthtool) : (arming.get(facts.name) ?? NOT_TOLD);
        return { ...facts, wake };
      }),
    );
    const verbs = powerShimPath === null ? found.power.verbs : powerVerbSchema.options;
    return { interfaces: armed, power: { ...found.power, verbs: [...verbs] } };
  };
}

/** Root is asked once for all cards. Where it does not answer, what everybody is told has to do. */
function helpedEthtool(helper: RootHelper, clock: Clock): ReadEthtool {
  const asked = remembered(clock, () =>
    helper.ask('read-wake-arming').catch((): HelperAnswer | null => null),
  );
  const own = ownEthtool(toolText);
  return async (device) => (await asked())?.ethtool?.[device] ?? own(device);
}

const NOT_TOLD: WakeArming = {
  supported: null,
  armed: null,
  detail: 'Windows does not tell of this adapter',
};

function remembered<Value>(clock: Clock, read: () => Promise<Value>): () => Promise<Value> {
  let last: { readonly value: Promise<Value>; readonly atMs: number } | null = null;
  return () => {
    const nowMs = clock.monotonicMs();
    if (last === null || nowMs - last.atMs >= FRESH_MS) last = { value: read(), atMs: nowMs };
    return last.value;
  };
}
