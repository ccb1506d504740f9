import type { HostInventory, NetworkInterface } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { inventory } from '../../live/testing/live-fixtures.js';
import type { FromState } from './judge-power-state.js';
import { judgeWakeability, type WakeabilityFacts, wakeInterfaces } from './judge-wakeability.js';

const ethernet: NetworkInterface = {
  name: 'eth0',
  mac: '52:54:00:12:34:56',
  addresses: ['192.168.1.20/24'],
  kind: 'wired',
  gatewayMac: 'aa:aa:aa:aa:aa:aa',
  wake: { supported: true, armed: true, detail: 'Wake-on: g' },
};
const wifi: NetworkInterface = { ...ethernet, name: 'wlan0', mac: '52:54:00:12:34:57', kind: 'wireless' };
const disarmed = { supported: true, armed: false, detail: 'Wake-on: d' };
const unable = { supported: false, armed: false, detail: 'Supports Wake-on: d' };
const unknown = { supported: null, armed: null, detail: null };

type Power = NonNullable<HostInventory['power']>;
const power: Power = {
  verbs: [],
  sleepStates: [],
  modernStandby: false,
  fastStartup: false,
  onBattery: false,
};

function told(
  interfaces: readonly NetworkInterface[],
  more: Partial<Power> = {},
  os: HostInventory['os'] = 'linux',
): HostInventory {
  return { ...inventory, os, interfaces: [...interfaces], power: { ...power, ...more } };
}

const own = [{ interface: 'lan0', address: '192.168.1.5/24' }];

function judge(more: Partial<WakeabilityFacts>) {
  const judged = judgeWakeability({
    host: 'wintermute',
    inventory: told([ethernet]),
    isRevoked: false,
    isYielded: false,
    waker: { kind: 'none' },
    fromState: 'suspend',
    isShutDownByOthers: false,
    proven: new Set(),
    paths: { own, relays: [] },
    macSharedWith: [],
    ...more,
  });
  const { wakeability, mayBeTried } = judged;
  const detail = wakeability.kind === 'yes' ? '' : wakeability.detail;
  const reason = wakeability.kind === 'no' ? wakeability.reason : wakeability.kind;
  return { reason, detail, mayBeTried, proven: wakeability.kind === 'yes' && wakeability.proven };
}

const proven = (...states: FromState[]) => new Set(states);

describe('a host can be woken', () => {
  it.each<[string, Partial<WakeabilityFacts>]>([
    ['from a wired interface that is armed', {}],
    ['where nobody could tell whether it is armed', { inventory: told([{ ...ethernet, wake: unknown }]) }],
    ['where an older agent tells nothing of arming', { inventory: { ...inventory, interfaces: [ethernet] } }],
    ['through a neighbour alone', { paths: { own: [], relays: [{ host: 'motoko', gatewayMac: null }] } }],
    ['where one of two interfaces is armed', { inventory: told([{ ...ethernet, wake: disarmed }, wifi]) }],
    ['over the air where that is armed', { inventory: told([wifi]) }],
    ['after a shutdown without Fast Startup', { fromState: 'poweroff' }],
    [
      'out of power-off with Modern Standby',
      { fromState: 'poweroff', inventory: told([ethernet], { modernStandby: true }) },
    ],
    ['asleep with Fast Startup', { inventory: told([ethernet], { fastStartup: true }) }],
    ['by its waker, whatever else is wrong', { waker: { kind: 'usable', name: 'plug' }, inventory: null }],
    [
      'with a cable beside a virtual switch',
      { inventory: told([{ ...ethernet, mac: '00:15:5d:00:00:01' }, ethernet]) },
    ],
  ])('%s', (_, more) => {
    expect(judge(more)).toMatchObject({ reason: 'yes', proven: false, mayBeTried: true });
  });

  it.each<[FromState, ReadonlySet<FromState>, boolean]>([
    ['suspend', proven('suspend'), true],
    ['suspend', proven('poweroff'), false],
    ['poweroff', proven('suspend'), false],
    ['unknown', proven('suspend', 'poweroff'), false],
    ['unknown', proven('unknown'), true],
  ])('out of %s, with proofs of %j: proven %s', (fromState, proofs, isProven) => {
    expect(judge({ fromState, proven: proofs }).proven).toBe(isProven);
  });
});

describe('a host cannot be woken, and no packet is tried', () => {
  it.each<[string, Partial<WakeabilityFacts>, RegExp]>([
    ['revoked', { isRevoked: true }, /hosts re-enrol wintermute/],
    [
      'waker_unusable',
      { waker: { kind: 'unusable', name: 'plug', detail: 'no such' } },
      /its waker "plug": no such/,
    ],
    ['unknown', { inventory: null }, /never told/],
    ['no_mac', { inventory: told([]) }, /no network interface/],
    ['no_mac', { inventory: told([{ ...ethernet, mac: '00:00:00:00:00:00' }]) }, /no network interface/],
    ['virtual_mac', { inventory: told([{ ...ethernet, mac: '00:15:5d:01:02:03' }]) }, /eth0, is of Hyper-V/],
    ['virtual_mac', { inventory: told([{ ...ethernet, mac: '00:0c:29:01:02:03' }]) }, /VMware/],
    ['virtual_mac', { inventory: told([{ ...ethernet, mac: '08:00:27:01:02:03' }]) }, /VirtualBox/],
    ['virtual_mac', { inventory: told([{ ...ethernet, mac: '02:42:ac:11:00:02' }]) }, /Docker/],
    ['mac_shared', { macSharedWith: ['armitage', 'case'] }, /armitage and case tells of the same MAC/],
    ['no_path', { paths: { own: [], relays: [] } }, /nobody on its LAN is awake/],
  ])('%s', (reason, more, detail) => {
    const judged = judge(more);
    expect(judged).toMatchObject({ reason, mayBeTried: false });
    expect(judged.detail).toMatch(detail);
  });
});

describe('a host does not wake by itself, and an operator may try', () => {
  it.each<[string, Partial<WakeabilityFacts>, RegExp]>([
    ['yielded', { isYielded: true }, /its owner has taken its cards/],
    ['yielded', { isYielded: true, waker: { kind: 'usable', name: 'plug' } }, /owner/],
    ['modern_standby', { inventory: told([ethernet], { modernStandby: true }, 'windows') }, /smart plug/],
    ['wake_unsupported', { inventory: told([{ ...ethernet, wake: unable }]) }, /eth0 cannot wake/],
    [
      'wake_disarmed',
      { inventory: told([{ ...ethernet, wake: disarmed }]) },
      /Wake-on: d.*ethtool -s eth0 wol g/,
    ],
    [
      'wake_disarmed',
      {
        inventory: told([
          { ...ethernet, name: 'docker0', mac: '02:42:00:00:00:01' },
          { ...ethernet, wake: disarmed },
        ]),
      },
      /ethtool -s eth0 wol g/,
    ],
    [
      'wake_disarmed',
      { inventory: told([{ ...ethernet, wake: disarmed }], {}, 'windows') },
      /device manager/,
    ],
    [
      'wake_disarmed',
      {
        inventory: told([
          { ...ethernet, wake: disarmed },
          { ...wifi, wake: unable },
        ]),
      },
      /eth0, wlan0/,
    ],
    [
      'fast_startup',
      {
        ...{ fromState: 'poweroff', isShutDownByOthers: true },
        inventory: told([ethernet], { fastStartup: true }, 'windows'),
      },
      /HiberbootEnabled is 1.*turn Fast Startup off/,
    ],
    ['on_battery', { inventory: told([ethernet], { onBattery: true }) }, /plug it in/],
    ['wireless', { inventory: told([{ ...wifi, wake: unknown }]) }, /wlan0.*by cable/],
  ])('%s', (reason, more, detail) => {
    const judged = judge(more);
    expect(judged).toMatchObject({ reason, mayBeTried: true });
    expect(judged.detail).toMatch(detail);
  });

  it.each<[string, Partial<WakeabilityFacts>, string]>([
    ['battery', { inventory: told([ethernet], { onBattery: true }) }, 'yes'],
    ['the air', { inventory: told([{ ...wifi, wake: unknown }]) }, 'yes'],
    [
      'a driver update that disarmed it',
      { inventory: told([{ ...ethernet, wake: disarmed }]) },
      'wake_disarmed',
    ],
  ])('but a proof counts more than doubts about %s: %s', (_, more, reason) => {
    expect(judge({ ...more, proven: proven('suspend') }).reason).toBe(reason);
  });
});

describe('Fast Startup', () => {
  const switches = [true, false, null];
  const states: readonly FromState[] = ['suspend', 'hibernate', 'poweroff', 'unknown'];
  const all = switches.flatMap((fastStartup) =>
    states.flatMap((fromState) =>
      [true, false].flatMap((isShutDownByOthers) =>
        [true, false].map((isProven) => ({ fastStartup, fromState, isShutDownByOthers, isProven })),
      ),
    ),
  );

  it.each(all)(
    'that is $fastStartup, out of $fromState, shut down by others: $isShutDownByOthers, proven: $isProven',
    (each) => {
      const { fastStartup, fromState, isShutDownByOthers, isProven } = each;
      const judged = judge({
        ...{ fromState, isShutDownByOthers },
        inventory: told([ethernet], { fastStartup }, 'windows'),
        proven: isProven ? proven(fromState) : proven(),
      });
      // In the way only where it is on, and somebody at the machine had it shut down.
      const isShutDown = fromState === 'poweroff' && isShutDownByOthers;
      const isInTheWay = fastStartup === true && isShutDown && !isProven;
      expect(judged).toMatchObject(
        isInTheWay ? { reason: 'fast_startup', proven: false } : { reason: 'yes', proven: isProven },
      );
      expect(judged.mayBeTried).toBe(true);
    },
  );
});

describe('the interfaces that may wake a machine', () => {
  it('are physical ones, wired ones first', () => {
    const virtual = { ...ethernet, mac: '02:42:00:00:00:01' };
    expect(wakeInterfaces(told([wifi, virtual, ethernet])).map(({ name }) => name)).toEqual([
      'eth0',
      'wlan0',
    ]);
    expect(wakeInterfaces(null)).toEqual([]);
  });
});
