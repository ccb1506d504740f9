import type { NetworkInterface } from '@ai-fabric/shared';
import { describe, expect, it } from 'vitest';
import { isEverybodys, isOwnMachine, type OwnMachine } from './is-own-machine.js';

const own: OwnMachine = {
  macs: new Set(['52:54:00:00:ff:ff', '00:00:00:00:00:00']),
  addresses: new Set(['192.168.1.5']),
  bootId: 'boot-of-ours',
};
const card = (mac: string, ...addresses: readonly string[]): NetworkInterface => ({
  ...{ name: 'eth0', mac, addresses: [...addresses], kind: 'wired', gatewayMac: null },
});
const other = card('52:54:00:00:00:01', '192.168.1.20/24');

describe('the host that runs the control plane', () => {
  it.each<[string, Parameters<typeof isOwnMachine>[0], OwnMachine, boolean]>([
    ['nothing was told', null, own, false],
    ['another machine', { os: 'linux', bootId: 'another', interfaces: [other] }, own, false],
    [
      'its network card is ours',
      { os: 'linux', bootId: 'another', interfaces: [other, card('52:54:00:00:FF:FF')] },
      own,
      true,
    ],
    [
      'an interface without a MAC is nobody’s',
      { os: 'linux', bootId: 'another', interfaces: [card('00:00:00:00:00:00')] },
      own,
      false,
    ],
    [
      'we run in a container on it: other cards, one kernel',
      { os: 'linux', bootId: 'boot-of-ours', interfaces: [other] },
      { ...own, macs: new Set(['02:42:ac:11:00:02']), addresses: new Set(['172.18.0.2']) },
      true,
    ],
    [
      'another kernel, and an address as ours on another LAN',
      { os: 'linux', bootId: 'another', interfaces: [card('52:54:00:00:00:01', '192.168.1.5/24')] },
      own,
      false,
    ],
    [
      'Windows, and we in a Linux within it that has its addresses',
      { os: 'windows', bootId: 'booted-1', interfaces: [card('52:54:00:00:00:01', '192.168.1.5/24')] },
      own,
      true,
    ],
    [
      'Windows elsewhere on the LAN',
      { os: 'windows', bootId: 'booted-1', interfaces: [other] },
      { ...own, bootId: null },
      false,
    ],
    [
      'we run where kernels have no names',
      { os: 'linux', bootId: 'another', interfaces: [card('52:54:00:00:00:01', '192.168.1.5/24')] },
      { ...own, bootId: null },
      true,
    ],
  ])('%s', (_, told, ours, isOwn) => {
    expect(isOwnMachine(told, ours)).toBe(isOwn);
  });

  it.each([
    ['127.0.0.1', true],
    ['169.254.3.4', true],
    ['172.17.0.1', true],
    ['::1', true],
    ['fe80::1', true],
    ['192.168.1.5', false],
    ['172.18.0.1', false],
    ['fd00::1', false],
  ])('is not told by %s where any machine may have it: %s', (address, isAny) => {
    expect(isEverybodys(address)).toBe(isAny);
  });
});
