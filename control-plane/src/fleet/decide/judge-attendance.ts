import type { HostInventory, OwnerReport } from '@ai-fabric/shared';
import type { WakeFrom } from './judge-power-state.js';

export interface AttendanceFacts {
  readonly fromState: WakeFrom;
  /** On its way it was told that it waits for somebody who signs in. */
  readonly missedSignIn: boolean;
  readonly inventory: Pick<HostInventory, 'os' | 'power'> | null;
  readonly owner: Pick<OwnerReport, 'present' | 'remoteSession'> | null;
}

/**
 * Whether a machine that came back may have had a person's help. After a sleep its session is as it was; after a power-off
 * somebody may have signed in, unless the system does that by itself.
 *
 * @returns in words what speaks for it; `null`: it came back by itself
 */
export function judgeAttendance({
  fromState,
  missedSignIn,
  inventory,
  owner,
}: AttendanceFacts): string | null {
  if (fromState !== 'poweroff' || inventory?.power?.autoLogon === true) return null;
  if (missedSignIn) return 'it waited for somebody who signs in, and somebody did';
  if (inventory?.os !== 'windows') return null;
  if (owner?.remoteSession === true) return 'somebody is signed in from afar';
  return owner?.present === true ? 'somebody is signed in at it' : null;
}
