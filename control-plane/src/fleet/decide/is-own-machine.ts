import type { HostInventory } from '@ai-fabric/shared';

/** How the machine that this program runs on is known. */
export interface OwnMachine {
  /** Of its interfaces, lower case. */
  readonly macs: ReadonlySet<string>;
  /** Without prefix; none that any machine may have. */
  readonly addresses: ReadonlySet<string>;
  /** Linux's name for its boot: the same in each of its containers. `null`: it has none. */
  readonly bootId: string | null;
}

type Told = Pick<HostInventory, 'interfaces' | 'bootId' | 'os'>;

/** Of interfaces that have none. */
const NO_MAC = '00:00:00:00:00:00';

/**
 * Whether a host is the machine that this program runs on: one of its network cards is one of ours, or its kernel is, as in a
 * container. Where kernels cannot be compared, as between Windows and a Linux within it, an address of its is ours.
 */
export function isOwnMachine(told: Told | null, own: OwnMachine): boolean {
  if (told === null) return false;
  const { interfaces, bootId, os } = told;
  if (interfaces.some(({ mac }) => mac !== NO_MAC && own.macs.has(mac.toLowerCase()))) return true;
  if (own.bootId !== null && os === 'linux') return bootId === own.bootId;
  return interfaces.some(({ addresses }) =>
    addresses.some((address) => own.addresses.has(address.split('/')[0] ?? '')),
  );
}

/** Any machine may have it: loopback, link-local, and what container engines give to a bridge on each. */
export function isEverybodys(address: string): boolean {
  return /^(127\.|169\.254\.|172\.17\.|::1$|fe80:)/i.test(address);
}
