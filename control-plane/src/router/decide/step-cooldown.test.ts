import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { defaultRouterSettings } from '../router-settings.js';
import { type CooldownEvent, type CooldownState, noCooldown, stepCooldown } from './step-cooldown.js';

const settings = defaultRouterSettings.limits.cooldown;
const limited = (forMs: number | null = null): CooldownEvent => ({ kind: 'refused', cause: 'rate', forMs });
const answered: CooldownEvent = { kind: 'answered' };

function step(state: CooldownState, event: CooldownEvent, nowMs: number, draw = 0.5): CooldownState {
  return stepCooldown(state, event, nowMs, () => draw, settings);
}

describe('a refusal', () => {
  it.each([
    { of: 'a time', event: limited(42_000), untilMs: 42_000 },
    { of: 'a time that is over', event: limited(0), untilMs: 0 },
    { of: 'more than a day', event: limited(1e12), untilMs: 86_400_000 },
    { of: 'no time', event: limited(), untilMs: 1_000 },
    { of: 'no quota', event: { kind: 'refused', cause: 'quota', forMs: null }, untilMs: 300_000 },
    { of: 'its key', event: { kind: 'refused', cause: 'key', forMs: null }, untilMs: 30_000 },
    { of: 'payment', event: { kind: 'refused', cause: 'unpaid', forMs: null }, untilMs: 300_000 },
  ] satisfies { of: string; event: CooldownEvent; untilMs: number }[])(
    'that tells of $of is a rest until $untilMs',
    ({ event, untilMs }) => {
      expect(step(noCooldown, event, 0).untilMs).toBe(untilMs);
    },
  );

  it('that tells no time is a longer rest each time, up to a minute', () => {
    let state = noCooldown;
    const rests: number[] = [];
    for (let nowMs = 0, time = 0; time < 8; time += 1) {
      state = step(state, limited(), nowMs);
      rests.push(state.untilMs - nowMs);
      nowMs = state.untilMs;
    }
    expect(rests).toEqual([1_000, 2_000, 4_000, 8_000, 16_000, 32_000, 60_000, 60_000]);
  });

  it.each([
    [0, 800],
    [0.999_999, 1_200],
  ])('that tells no time is a rest by chance (%d): %d ms', (draw, restMs) => {
    expect(Math.round(step(noCooldown, limited(), 0, draw).untilMs)).toBe(restMs);
  });

  it('is one strike, however many answers were under way', () => {
    let state = noCooldown;
    for (let answer = 0; answer < 10; answer += 1) state = step(state, limited(), answer);
    expect(state.strikes).toBe(1);
    expect(state.untilMs).toBeLessThanOrEqual(1_009);
  });

  it('is forgiven by an answer after the rest, and not by one before its end', () => {
    const resting = step(noCooldown, limited(), 0);
    expect(step(resting, answered, 999)).toBe(resting);
    expect(step(resting, answered, 1_000)).toMatchObject({ strikes: 0 });
  });

  it('tells the cause of the longer of two rests', () => {
    const quota = step(noCooldown, { kind: 'refused', cause: 'quota', forMs: null }, 0);
    expect(step(quota, limited(1_000), 10)).toMatchObject({ cause: 'quota', untilMs: 300_000 });
    expect(step(quota, limited(400_000), 10)).toMatchObject({ cause: 'rate', untilMs: 400_010 });
  });
});

describe('the end of a rest', () => {
  const cause = fc.constantFrom('rate', 'quota', 'key', 'unpaid');
  const event: fc.Arbitrary<CooldownEvent> = fc.oneof(
    fc.constant(answered),
    fc.record({
      kind: fc.constant('refused' as const),
      cause: cause as fc.Arbitrary<'rate'>,
      forMs: fc.oneof(fc.constant(null), fc.integer({ min: -5_000, max: 200_000_000 })),
    }),
  );
  const told = fc.array(
    fc.record({ event, afterMs: fc.nat(90_000), draw: fc.double({ min: 0, max: 0.99, noNaN: true }) }),
  );

  it('is never moved to an earlier time, in whatever order answers come', () => {
    fc.assert(
      fc.property(told, (answers) => {
        let state = noCooldown;
        let nowMs = 0;
        for (const { event: next, afterMs, draw } of answers) {
          nowMs += afterMs;
          const after = step(state, next, nowMs, draw);
          expect(after.untilMs).toBeGreaterThanOrEqual(state.untilMs);
          if (next.kind === 'refused') {
            const asked = Math.min(Math.max(next.forMs ?? 0, 0), settings.mostMs);
            expect(after.untilMs).toBeGreaterThanOrEqual(nowMs + asked);
          }
          state = after;
        }
      }),
    );
  });

  it('is the same in whatever order answers come that tell their times', () => {
    const times = fc.array(fc.nat(100_000_000), { minLength: 1 });
    fc.assert(
      fc.property(times, fc.infiniteStream(fc.nat()), (all, keys) => {
        const end = (order: readonly number[]): number =>
          order.reduce((state, forMs) => step(state, limited(forMs), 0), noCooldown).untilMs;
        const shuffled = all
          .map((forMs) => ({ forMs, key: keys.next().value ?? 0 }))
          .sort((a, b) => a.key - b.key)
          .map(({ forMs }) => forMs);
        expect(end(shuffled)).toBe(end(all));
      }),
    );
  });
});
