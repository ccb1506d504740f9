import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { planWake, type WakeCandidate } from './plan-wake.js';

const NOW = 1_000_000;

function candidate(host: string, more: Partial<WakeCandidate> = {}): WakeCandidate {
  return {
    host,
    deployment: `on-${host}`,
    isAwake: false,
    isWaking: false,
    wakeability: { kind: 'yes', proven: true },
    mayBeTried: true,
    readySeconds: 60,
    baseWatts: null,
    cardWatts: null,
    quietUntilMs: null,
    cooldown: null,
    ...more,
  };
}

const unproven = { wakeability: { kind: 'yes', proven: false } } as const;
const no = { wakeability: { kind: 'no', reason: 'no_mac', detail: 'it has no MAC' } } as const;

function plan(...candidates: WakeCandidate[]): string {
  return planWithin(Number.POSITIVE_INFINITY, candidates);
}

function planWithin(withinSeconds: number, candidates: readonly WakeCandidate[]): string {
  const found = planWake(candidates, { nowMs: NOW, withinSeconds });
  return found.kind === 'refuse' ? `refuse: ${found.detail}` : `${found.kind} ${found.candidate.host}`;
}

describe('which host is woken', () => {
  it.each<[string, WakeCandidate[], string]>([
    ['the only one', [candidate('a')], 'start a'],
    ['the one that is ready sooner', [candidate('a', { readySeconds: 200 }), candidate('b')], 'start b'],
    ['of those alike the first declared', [candidate('a', { readySeconds: 68 }), candidate('b')], 'start a'],
    [
      'of those alike the one that draws less',
      [candidate('a', { baseWatts: 300 }), candidate('b', { baseWatts: 90 })],
      'start b',
    ],
    [
      'of those alike the one that draws less with its cards, where they were measured',
      [candidate('a', { baseWatts: 60, cardWatts: 450 }), candidate('b', { baseWatts: 90, cardWatts: 200 })],
      'start b',
    ],
    [
      'by what is declared where the cards of one were not seen to serve',
      [candidate('a', { baseWatts: 60 }), candidate('b', { baseWatts: 90, cardWatts: 5 })],
      'start a',
    ],
    [
      'by the cards alone where of one machine nothing is declared',
      [candidate('a', { baseWatts: 60, cardWatts: 300 }), candidate('b', { cardWatts: 200 })],
      'start b',
    ],
    [
      'one whose draw is known before one whose is not',
      [candidate('a'), candidate('b', { baseWatts: 900 })],
      'start b',
    ],
    [
      'the sooner one though it draws more',
      [candidate('a', { baseWatts: 10, readySeconds: 90 }), candidate('b', { baseWatts: 900 })],
      'start b',
    ],
    ['a proven one before one that is as soon', [candidate('a', unproven), candidate('b')], 'start b'],
    [
      'one never proven where the proven one is far later',
      [candidate('a', unproven), candidate('b', { readySeconds: 600 })],
      'start a',
    ],
    ['none that is awake', [candidate('a', { isAwake: true }), candidate('b')], 'start b'],
    ['none that cannot be woken', [candidate('a', no), candidate('b', { readySeconds: 900 })], 'start b'],
    [
      'none in its quiet hours',
      [candidate('a', { quietUntilMs: NOW + 1 }), candidate('b', { readySeconds: 900 })],
      'start b',
    ],
    [
      'none that failed lately',
      [candidate('a', { cooldown: { untilMs: NOW + 1, why: 'x' } }), candidate('b', { readySeconds: 900 })],
      'start b',
    ],
    ['one whose cooldown is over', [candidate('a', { cooldown: { untilMs: NOW, why: 'x' } })], 'start a'],
    [
      'none while one is on its way',
      [candidate('a'), candidate('b', { isWaking: true, readySeconds: 900 })],
      'join b',
    ],
    [
      'the one on its way, whatever forbids to begin one',
      [candidate('a', { isWaking: true, quietUntilMs: NOW + 9, ...no })],
      'join a',
    ],
  ])('%s', (_, candidates, expected) => {
    expect(plan(...candidates)).toBe(expected);
  });
});

describe('which host is woken for one that may wait only so long', () => {
  const fetching = candidate('a', { isWaking: true, readySeconds: 900 });
  const soon = candidate('b', { readySeconds: 45 });
  it.each<[string, number, WakeCandidate[], string]>([
    [
      'the one that is in time, though another draws less',
      50,
      [
        candidate('a', { baseWatts: 9, readySeconds: 52 }),
        candidate('b', { baseWatts: 90, readySeconds: 45 }),
      ],
      'start b',
    ],
    [
      'the one that is in time, though it was never proven',
      50,
      [candidate('a', { readySeconds: 55 }), candidate('b', { ...unproven, readySeconds: 45 })],
      'start b',
    ],
    ['the soonest where none is in time', 10, [candidate('a', { readySeconds: 200 }), soon], 'start b'],
    ['a second one where the first is far too late', 50, [fetching, soon], 'start b'],
    ['none beside one that is in time', 900, [fetching, soon], 'join a'],
    ['none that is too late itself', 40, [fetching, soon], 'join a'],
    [
      'none that saves less than a minute',
      50,
      [candidate('a', { isWaking: true, readySeconds: 104 }), soon],
      'join a',
    ],
    ['one that saves a minute', 50, [candidate('a', { isWaking: true, readySeconds: 105 }), soon], 'start b'],
    [
      'one that may fail only where it would save that as well',
      50,
      [candidate('a', { isWaking: true, readySeconds: 164 }), { ...soon, ...unproven }],
      'join a',
    ],
    ['none in its quiet hours', 50, [fetching, { ...soon, quietUntilMs: NOW + 1 }], 'join a'],
    ['none that cools down', 50, [fetching, { ...soon, cooldown: { untilMs: NOW + 1, why: 'x' } }], 'join a'],
    ['none that cannot be woken', 50, [fetching, { ...soon, ...no }], 'join a'],
    [
      'none beside a second one that is in time',
      50,
      [fetching, { ...soon, isWaking: true }, candidate('c', { readySeconds: 20 })],
      'join b',
    ],
  ])('%s', (_, withinSeconds, candidates, expected) => {
    expect(planWithin(withinSeconds, candidates)).toBe(expected);
  });
});

describe('why no host is woken', () => {
  it.each<[Partial<WakeCandidate>, RegExp]>([
    [{ isAwake: true }, /a: it is awake already/],
    [no, /a: it has no MAC/],
    [{ wakeability: { kind: 'unknown', detail: 'never told' }, mayBeTried: false }, /a: never told/],
    [{ mayBeTried: false }, /a: it cannot be woken from here/],
    [{ quietUntilMs: NOW + 5_400_000 }, /a: it has its quiet hours, for 1 h 30 min more/],
    [{ quietUntilMs: NOW + 600_000 }, /for 10 min more/],
    [
      { cooldown: { untilMs: NOW + 45_000, why: 'nothing was heard' } },
      /a: nothing was heard; tried again in 45 s/,
    ],
  ])('is told of %j', (more, told) => {
    expect(plan(candidate('a', more))).toMatch(told);
  });

  it('is told of each host, and of none where there is none', () => {
    expect(plan(candidate('a', no), candidate('b', { isAwake: true }))).toBe(
      'refuse: a: it has no MAC; b: it is awake already',
    );
    expect(plan()).toBe('refuse: no host would serve this');
  });

  it('is bounded in length', () => {
    const many = Array.from({ length: 100 }, (_, index) => candidate(`host-${index}`, no));
    expect(plan(...many).length).toBeLessThan(820);
  });
});

describe('whatever the hosts', () => {
  const any = fc.record({
    isAwake: fc.boolean(),
    isWaking: fc.boolean(),
    mayBeTried: fc.boolean(),
    wakeability: fc.constantFrom<WakeCandidate['wakeability']>(unproven.wakeability, no.wakeability, {
      kind: 'yes',
      proven: true,
    }),
    readySeconds: fc.integer({ min: 1, max: 2_000 }),
    baseWatts: fc.option(fc.integer({ min: 1, max: 900 })),
    cardWatts: fc.option(fc.integer({ min: 1, max: 900 })),
    quietUntilMs: fc.option(fc.constant(NOW + 5)),
  });

  const within = fc.integer({ min: 0, max: 2_000 });

  it('none is begun while one is on its way that is in time, and none that may not be woken', () => {
    fc.assert(
      fc.property(fc.array(any, { maxLength: 6 }), within, (all, withinSeconds) => {
        const candidates = all.map((each, index) => candidate(`h${index}`, each));
        const found = planWake(candidates, { nowMs: NOW, withinSeconds });
        if (found.kind === 'start') {
          const waking = candidates.filter(({ isWaking }) => isWaking);
          for (const { readySeconds } of waking) {
            expect(readySeconds).toBeGreaterThan(withinSeconds);
            expect(found.candidate.readySeconds).toBeLessThanOrEqual(
              Math.min(withinSeconds, readySeconds - 60),
            );
          }
          const { isAwake, wakeability, mayBeTried, quietUntilMs } = found.candidate;
          expect([isAwake, wakeability.kind, mayBeTried, quietUntilMs]).toEqual([false, 'yes', true, null]);
        }
        if (found.kind === 'refuse') expect(candidates.some(({ isWaking }) => isWaking)).toBe(false);
      }),
    );
  });
});
