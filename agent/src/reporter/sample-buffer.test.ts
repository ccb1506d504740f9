import { emptyHostReading, type TelemetrySample } from '@ai-fabric/shared';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type HeldSample, SampleBuffer } from './sample-buffer.js';

const sample = (atMs: number, cards = 0): TelemetrySample => ({
  atMs,
  host: emptyHostReading,
  gpus: Object.fromEntries(
    Array.from({ length: cards }, (_, card) => [`GPU-${card}`, {} as TelemetrySample['gpus'][string]]),
  ),
  replicas: {},
});
const times = (samples: readonly HeldSample[]): number[] => samples.map(({ atMs }) => atMs);

describe('the sample buffer', () => {
  test('keeps what was sent until it is acknowledged', () => {
    const buffer = new SampleBuffer(100_000);
    for (const atMs of [1, 2, 3]) buffer.push(sample(atMs));
    buffer.markSent(buffer.waiting.slice(0, 2), 7);
    expect(times(buffer.waiting)).toEqual([3]);
    expect(buffer.sentCount).toBe(2);
    buffer.markArrived(7);
    expect(buffer.sentCount).toBe(0);
    expect(buffer.dropped).toBe(0);
  });

  test('gives back what was not acknowledged, in its place', () => {
    const buffer = new SampleBuffer(100_000);
    for (const atMs of [1, 2, 3, 4]) buffer.push(sample(atMs));
    buffer.markSent(buffer.waiting.slice(3), 1);
    buffer.markSent(buffer.waiting.slice(0, 2), 2);
    buffer.markArrived(1);
    buffer.returnSent();
    expect(times(buffer.waiting)).toEqual([1, 2, 3]);
  });

  test('drops the oldest when it is full, and counts them', () => {
    const buffer = new SampleBuffer(2_000);
    for (let atMs = 1; atMs <= 50; atMs += 1) buffer.push(sample(atMs));
    expect(buffer.bytes).toBeLessThanOrEqual(2_000);
    expect(times(buffer.waiting).at(-1)).toBe(50);
    expect(times(buffer.waiting)[0]).toBe(buffer.dropped + 1);
  });

  test('a sample that was dropped on its way is not lost if it arrives after all', () => {
    const arrives = new SampleBuffer(1_500);
    const isLost = new SampleBuffer(1_500);
    for (const buffer of [arrives, isLost]) {
      buffer.push(sample(1));
      buffer.markSent(buffer.waiting, 1);
      for (let atMs = 2; buffer.sentCount > 0; atMs += 1) buffer.push(sample(atMs));
      expect(buffer.dropped).toBe(0);
    }
    arrives.markArrived(1);
    arrives.returnSent();
    isLost.returnSent();
    expect([arrives.dropped, isLost.dropped]).toEqual([0, 1]);
  });

  test('a sample larger than the whole buffer is dropped, and nothing else is', () => {
    const buffer = new SampleBuffer(1_000);
    buffer.push(sample(1, 100));
    expect(buffer.waiting).toEqual([]);
    expect(buffer.dropped).toBe(1);
    expect(buffer.bytes).toBe(0);
  });

  test('what can never be sent is counted as dropped', () => {
    const buffer = new SampleBuffer(10_000);
    for (const atMs of [1, 2]) buffer.push(sample(atMs));
    buffer.discard(buffer.waiting.slice(0, 1));
    expect(times(buffer.waiting)).toEqual([2]);
    expect(buffer.dropped).toBe(1);
  });

  test('whatever happens, it stays within its bytes, in order, and every sample is somewhere', () => {
    const action = fc.oneof(
      fc.record({ kind: fc.constant('push' as const), cards: fc.nat(8) }),
      fc.record({
        kind: fc.constant('send' as const),
        from: fc.nat(5),
        count: fc.integer({ min: 1, max: 6 }),
      }),
      fc.record({ kind: fc.constant('ack' as const), back: fc.nat(3) }),
      fc.record({ kind: fc.constant('lost' as const) }),
    );
    fc.assert(
      fc.property(
        fc.array(action, { maxLength: 200 }),
        fc.integer({ min: 600, max: 9_000 }),
        (actions, maxBytes) => {
          const buffer = new SampleBuffer(maxBytes);
          const underway = new Map<number, number>();
          let pushed = 0;
          let arrived = 0;
          let seq = 0;
          for (const item of actions) {
            if (item.kind === 'push') {
              pushed += 1;
              buffer.push(sample(pushed, item.cards));
            } else if (item.kind === 'send') {
              const picked = buffer.waiting.slice(item.from, item.from + item.count);
              if (picked.length === 0) continue;
              seq += 1;
              buffer.markSent(picked, seq);
              underway.set(seq, picked.length);
            } else if (item.kind === 'ack') {
              buffer.markArrived(seq - item.back);
              for (const [sent, count] of underway) {
                if (sent > seq - item.back) continue;
                arrived += count;
                underway.delete(sent);
              }
            } else {
              buffer.returnSent();
              underway.clear();
            }
            expect(buffer.bytes).toBeLessThanOrEqual(maxBytes);
            expect(times(buffer.waiting)).toEqual([...times(buffer.waiting)].sort((a, b) => a - b));
          }
          buffer.returnSent();
          expect(buffer.waiting.length + buffer.dropped + arrived).toBe(pushed);
        },
      ),
    );
  });
});
