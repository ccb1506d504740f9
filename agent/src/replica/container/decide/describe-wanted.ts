import { gibText, type VllmReplica } from '@ai-fabric/shared';
import type { Hold } from '../../decide/combine-holds.js';
import type { Wanted } from './plan-input.js';

/** What the plan needs of a declaration. What holds a replica down goes before what is wished of it. */
export function describeWanted(
  desired: VllmReplica,
  specHash: string,
  removed: boolean,
  hold: Hold | null,
): Wanted {
  const { image, servedModel, task, restartCount, gpu, readyWithinSeconds, adopt, fallbacks } = desired;
  return {
    ...{ removed, image, specHash, servedModel, task, restartCount, adopt },
    wish: hold === null ? desired.wish : heldWish(desired.wish, hold),
    held: hold?.why ?? null,
    drainWithinSeconds: hold?.drainSeconds ?? desired.drainWithinSeconds,
    hasGpu: gpu.select !== 'none',
    readyWithinMs: readyWithinSeconds * 1_000,
    // Its dev mode opens dangerous paths: only where nobody but the tunnel reaches them, and in no foreign container.
    parkable: desired.parkable && desired.reach === 'tunnel' && adopt === null,
    fallbackCount: fallbacks.length,
  };
}

function heldWish(wish: VllmReplica['wish'], { action }: Hold): VllmReplica['wish'] {
  return action === 'stop' || wish === 'stopped' ? 'stopped' : 'parked';
}

/** Weights that sleep lie in main memory, and something must be left of it. */
const SPARE_BYTES = 1024 ** 3;

/** Why its card is freed by stopping it and not by sleep; `null`: it may sleep. */
export function judgeParking(
  desired: VllmReplica,
  known: { readonly memoryFreeBytes: number | null; readonly weightBytes: number | null },
): string | null {
  if (desired.adopt !== null) return 'an adopted container is not put to sleep.';
  if (!desired.parkable) return 'the deployment is not declared parkable.';
  if (desired.reach === 'direct')
    return 'sleep mode opens paths that only the tunnel keeps closed, and its reach is direct.';
  const { memoryFreeBytes, weightBytes } = known;
  if (memoryFreeBytes === null || weightBytes === null) return null;
  if (memoryFreeBytes >= weightBytes + SPARE_BYTES) return null;
  return `its weights (${gibText(weightBytes)}) do not fit into the free main memory (${gibText(memoryFreeBytes)}).`;
}
