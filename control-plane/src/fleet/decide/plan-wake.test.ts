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
  const found = planWake(candidates, NOW);
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

  it('none is begun while one is on its way, and none that may not be woken', () => {
    fc.assert(
      fc.property(fc.array(any, { maxLength: 6 }), (all) => {
        const candidates = all.map((each, index) => candidate(`h${index}`, each));
        const found = planWake(candidates, NOW);
        if (found.kind === 'start') {
          expect(candidates.some(({ isWaking }) => isWaking)).toBe(false);
          const { isAwake, wakeability, mayBeTried, quietUntilMs } = found.candidate;
          expect([isAwake, wakeability.kind, mayBeTried, quietUntilMs]).toEqual([false, 'yes', true, null]);
        }
        if (found.kind === 'refuse') expect(candidates.some(({ isWaking }) => isWaking)).toBe(false);
      }),
    );
  });
});
