import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type InterfaceCounters,
  networkRatesBetween,
  noNetworkRates,
  parseProcNetDev,
} from './parse-proc-net-dev.js';

const HEAD =
  'Inter-|   Receive                                                |  Transmit\n' +
  ' face |bytes    packets errs drop fifo frame compressed multicast|bytes    packets errs drop fifo colls carrier compressed\n';

const counters = (entries: Record<string, [number, number]>): ReadonlyMap<string, InterfaceCounters> =>
  new Map(
    Object.entries(entries).map(([name, [receivedBytes, sentBytes]]) => [name, { receivedBytes, sentBytes }]),
  );

const all = (): boolean => true;

describe('counters of /proc/net/dev', () => {
  it('are the first and the ninth column', () => {
    const text = `${HEAD}    lo:   42       1    0    0    0     0          0         0       42       1    0    0    0     0       0          0\n  eth0: 1000 2 0 0 0 0 0 0 3000 4 0 0 0 0 0 0\n`;
    expect(parseProcNetDev(text)).toEqual(counters({ lo: [42, 42], eth0: [1000, 3000] }));
  });

  it('may touch the colon, and names may hold dots', () => {
    expect(parseProcNetDev(`${HEAD}eth0.10:1000 2 0 0 0 0 0 0 3000 4 0 0 0 0 0 0`)).toEqual(
      counters({ 'eth0.10': [1000, 3000] }),
    );
  });

  it('are bounded, and garbage has none', () => {
    const flood = Array.from({ length: 1000 }, (_, at) => `veth${at}: 1 2 0 0 0 0 0 0 3 4`).join('\n');
    expect(parseProcNetDev(flood).size).toBe(256);
    fc.assert(fc.property(fc.string(), (text) => parseProcNetDev(text).size >= 0));
  });
});

describe('rates', () => {
  it('are per second of the time that passed, over the interfaces that count', () => {
    const before = counters({ eth0: [1000, 100], wlan0: [0, 0], lo: [5, 5] });
    const after = counters({ eth0: [5000, 300], wlan0: [2000, 0], lo: [9_999, 9_999] });
    expect(networkRatesBetween(before, after, 2_000, (name) => name !== 'lo')).toEqual({
      receivedBytesPerSecond: 3000,
      sentBytesPerSecond: 100,
    });
  });

  it.each([
    ['a counter wrapped', { eth0: [4_294_967_000, 10] }, { eth0: [500, 20] }],
    ['a driver was reloaded', { eth0: [1000, 1000] }, { eth0: [0, 0] }],
    ['the interface is new', {}, { eth0: [1000, 1000] }],
    ['the interface is gone', { eth0: [1000, 1000] }, {}],
    ['nothing could be read', {}, {}],
  ] as [string, Record<string, [number, number]>, Record<string, [number, number]>][])(
    'are unknown when %s',
    (_, before, after) => {
      expect(networkRatesBetween(counters(before), counters(after), 1000, all)).toEqual(noNetworkRates);
    },
  );

  it('leave out the one interface whose counter went back', () => {
    const before = counters({ eth0: [9000, 9000], wlan0: [100, 100] });
    const after = counters({ eth0: [0, 0], wlan0: [150, 100] });
    expect(networkRatesBetween(before, after, 1000, all)).toEqual({
      receivedBytesPerSecond: 50,
      sentBytesPerSecond: 0,
    });
  });

  it('are 0 on a silent line and unknown when no time passed', () => {
    const same = counters({ eth0: [7, 7] });
    expect(networkRatesBetween(same, same, 1000, all)).toEqual({
      receivedBytesPerSecond: 0,
      sentBytesPerSecond: 0,
    });
    expect(networkRatesBetween(same, same, 0, all)).toEqual(noNetworkRates);
  });

  it('are never negative', () => {
    const some = fc.dictionary(fc.constantFrom('a', 'b', 'c'), fc.tuple(fc.nat(), fc.nat()));
    fc.assert(
      fc.property(some, some, fc.integer({ min: -5, max: 5000 }), (before, after, elapsedMs) => {
        const rates = networkRatesBetween(counters(before), counters(after), elapsedMs, all);
        for (const rate of Object.values(rates)) expect(rate === null || rate >= 0).toBe(true);
      }),
    );
  });
});
