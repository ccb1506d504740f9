import type { HostInventory, NetworkInterface } from '@ai-fabric/shared';
import type { Wakeability } from '../../live/host-power.js';
import type { PacketPaths } from './find-paths.js';
import type { FromState } from './judge-power-state.js';

/** What a host's declared waker is, on this machine. */
export type WakerFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'usable'; readonly name: string }
  /** Named, and not to be used: why. */
  | { readonly kind: 'unusable'; readonly name: string; readonly detail: string };

export interface WakeabilityFacts {
  readonly host: string;
  readonly inventory: HostInventory | null;
  readonly isRevoked: boolean;
  readonly waker: WakerFacts;
  /** What it is in, or would be in when it slept. */
  readonly fromState: FromState;
  /** Somebody else than the fabric shut it down: the fabric's own power-off is a full one, whatever Windows' switch says. */
  readonly isShutDownByOthers: boolean;
  /** Its owner, or an operator for them, has taken its cards, and that outlives a sleep. */
  readonly isYielded: boolean;
  /** States that it came back from, up to a token. */
  readonly proven: ReadonlySet<FromState>;
  /** Of its usable interfaces. */
  readonly paths: PacketPaths;
  /** Other hosts that tell of one of its MACs. */
  readonly macSharedWith: readonly string[];
}

export interface WakeJudgement {
  readonly wakeability: Wakeability;
  /** An operator may try nevertheless: packets can be sent, and what stands in the way may be told wrongly. */
  readonly mayBeTried: boolean;
}

const YIELDED =
  'its owner has taken its cards, and has them awake too: ai-fabric-agent unyield on it gives them back';

/** Virtual switches and interfaces of machines that are none. By the first bytes of the MAC. */
const VIRTUAL_MACS: readonly (readonly [prefix: string, maker: string])[] = [
  ['00:15:5d', 'Hyper-V'],
  ['00:50:56', 'VMware'],
  ['00:0c:29', 'VMware'],
  ['00:05:69', 'VMware'],
  ['00:1c:14', 'VMware'],
  ['08:00:27', 'VirtualBox'],
  ['0a:00:27', 'VirtualBox'],
  ['02:42', 'Docker'],
];

/** The interfaces by which a magic packet may wake a machine: physical ones with a MAC of their own, wired ones first. */
export function wakeInterfaces(inventory: HostInventory | null): readonly NetworkInterface[] {
  return (inventory?.interfaces ?? [])
    .filter(({ mac }) => isReal(mac) && makerOfVirtual(mac) === null)
    .sort((one, other) => Number(other.kind === 'wired') - Number(one.kind === 'wired'));
}

/** Whether a host can be woken, and what stands in the way with its fix. */
export function judgeWakeability(facts: WakeabilityFacts): WakeJudgement {
  const { host, inventory, waker, proven, fromState } = facts;
  const yes: Wakeability = { kind: 'yes', proven: proven.has(fromState) };
  if (facts.isRevoked) {
    return hopeless(
      'revoked',
      `its key is refused, so nothing that it does would be taken; to let it back: ai-fabric hosts re-enrol ${host}`,
    );
  }
  const taken = facts.isYielded ? no('yielded', YIELDED) : null;
  if (waker.kind === 'usable') return { wakeability: taken ?? yes, mayBeTried: true };
  if (waker.kind === 'unusable')
    return hopeless('waker_unusable', `its waker "${waker.name}": ${waker.detail}`);
  if (inventory === null) {
    const detail = 'its agent has never told of its interfaces: it joins first, awake';
    return { wakeability: { kind: 'unknown', detail }, mayBeTried: false };
  }
  const impossible = findImpossible(facts, inventory);
  if (impossible) return impossible;
  const obstacle = taken ?? findObstacle(facts, inventory);
  return { wakeability: obstacle ?? yes, mayBeTried: true };
}

/** @returns why nobody may even try, `null`: an operator may */
export function whyNotTried({ mayBeTried, wakeability }: WakeJudgement): string | null {
  if (mayBeTried) return null;
  return wakeability.kind === 'yes' ? 'it cannot be woken from here' : wakeability.detail;
}

/** No packet can be sent, or none would mean this host alone. */
function findImpossible(facts: WakeabilityFacts, inventory: HostInventory): WakeJudgement | null {
  const { paths, macSharedWith } = facts;
  if (wakeInterfaces(inventory).length === 0) {
    const virtual = inventory.interfaces.find(({ mac }) => makerOfVirtual(mac) !== null);
    return virtual === undefined
      ? hopeless(
          'no_mac',
          'its agent tells of no network interface with a MAC: is its network driver loaded?',
        )
      : hopeless(
          'virtual_mac',
          `its only interface, ${virtual.name}, is of ${makerOfVirtual(virtual.mac)}: a virtual one wakes no machine; run the agent on the machine itself`,
        );
  }
  if (macSharedWith.length > 0) {
    return hopeless(
      'mac_shared',
      `${macSharedWith.join(' and ')} tells of the same MAC, so a packet would wake either: give each a MAC of its own (a copied virtual machine, a dock that moves)`,
    );
  }
  if (paths.own.length === 0 && paths.relays.length === 0) {
    return hopeless(
      'no_path',
      'nobody on its LAN is awake to send a packet, and this machine is not on it: leave one host of that LAN on',
    );
  }
  return null;
}

/** What would keep the machine from waking, though the packet reaches it. */
function findObstacle(facts: WakeabilityFacts, inventory: HostInventory): Wakeability | null {
  const { fromState, proven } = facts;
  const usable = wakeInterfaces(inventory);
  const { power } = inventory;
  if (power?.modernStandby === true && fromState !== 'poweroff') {
    return no(
      'modern_standby',
      'it sleeps in Modern Standby, which no magic packet ends: leave it awake, or give it a waker such as a smart plug',
    );
  }
  if (usable.every(({ wake }) => wake?.supported === false)) {
    return no(
      'wake_unsupported',
      `${namesOf(usable)} cannot wake its machine: use another network card, or a waker such as a smart plug`,
    );
  }
  if (usable.every(({ wake }) => wake?.armed === false || wake?.supported === false)) {
    return no(
      'wake_disarmed',
      `wake on magic packet is off at ${namesOf(usable)} (${usable[0]?.wake?.detail ?? 'as its agent reads'}): ${armingFix(inventory, usable)}`,
    );
  }
  if (proven.has(fromState)) return null;
  // Its agent says so of a full shutdown alone, as the fabric's own is; a hybrid one stops no service, and comes without a word.
  if (power?.fastStartup === true && fromState === 'poweroff' && facts.isShutDownByOthers) {
    return no(
      'fast_startup',
      'Fast Startup is on (HiberbootEnabled is 1) and it was shut down at the machine, which may leave its network card unarmed; start it by hand and turn Fast Startup off (powercfg /hibernate off, or in its power options), rehearse it from power-off, or let the fabric put it to sleep',
    );
  }
  if (power?.onBattery === true)
    return no('on_battery', 'it runs on battery, and few machines listen then: plug it in');
  if (usable.every(({ kind, wake }) => kind === 'wireless' && wake?.armed !== true)) {
    return no(
      'wireless',
      `it has only wireless interfaces (${namesOf(usable)}), which seldom listen asleep: connect it by cable`,
    );
  }
  return null;
}

function armingFix({ os }: HostInventory, usable: readonly NetworkInterface[]): string {
  if (os === 'windows') {
    return 'in the device manager, at the adapter, allow it to wake the computer and turn "Wake on Magic Packet" on';
  }
  return `turn it on with: ethtool -s ${usable[0]?.name ?? 'IF'} wol g, and keep it with a systemd .link file`;
}

function namesOf(interfaces: readonly NetworkInterface[]): string {
  return interfaces.map(({ name }) => name).join(', ');
}

function isReal(mac: string): boolean {
  return mac !== '00:00:00:00:00:00' && mac !== 'ff:ff:ff:ff:ff:ff';
}

function makerOfVirtual(mac: string): string | null {
  return VIRTUAL_MACS.find(([prefix]) => mac.startsWith(prefix))?.[1] ?? null;
}

function no(reason: string, detail: string): Wakeability {
  return { kind: 'no', reason, detail };
}

function hopeless(reason: string, detail: string): WakeJudgement {
  return { wakeability: no(reason, detail), mayBeTried: false };
}
