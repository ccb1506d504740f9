import type { HostInventory } from '@ai-fabric/shared';

/** Of interfaces that have none. */
const NO_MAC = '00:00:00:00:00:00';

/**
 * Whether a host is the machine that this program runs on: one of its network cards is one of ours.
 *
 * @param ownMacs lower case
 */
export function isOwnMachine(
  inventory: Pick<HostInventory, 'interfaces'> | null,
  ownMacs: ReadonlySet<string>,
): boolean {
  return (inventory?.interfaces ?? []).some(({ mac }) => mac !== NO_MAC && ownMacs.has(mac));
}
