import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  AWAKE,
  GOING_MS,
  type SleepEvent,
  type SleepState,
  type SleepTerms,
  stepSleep,
} from './step-sleep.js';

const terms: SleepTerms = {
  action: 'suspend',
  asker: 'idle',
  reason: 'idle',
  drainMs: 60_000,
  isForced: false,
};
const ordered: SleepTerms = { ...terms, asker: 'operator' };
const parkTerms: SleepTerms = { ...terms, action: 'container-only' };
const idle: SleepEvent = { kind: 'tick', requestsInFlight: 0 };
const busy: SleepEvent = { kind: 'tick', requestsInFlight: 2 };

/** Each event a second after the one before. */
function play(events: readonly SleepEvent[], from: SleepState = AWAKE) {
  let state = from;
  const told: string[] = [];
  events.forEach((event, index) => {
    const step = stepSleep(state, event, index * 1000);
    state = step.state;
    told.push(...step.effects.map(({ kind }) => kind));
  });
  return { state: state.name, told };
}

describe('a host that is put to sleep', () => {
  it('is drained, asked, and gone', () => {
    const events: SleepEvent[] = [
      { kind: 'begin', terms },
      busy,
      idle,
      { kind: 'answered', ok: true, code: '', detail: '' },
      { kind: 'unlinked', goodbyeReason: 'suspend' },
    ];
    expect(play(events)).toEqual({ state: 'asleep', told: ['ask', 'slept'] });
  });

  it('is asked at the end of its drain, whatever runs, where somebody ordered it', () => {
    const { state } = stepSleep(AWAKE, { kind: 'begin', terms: ordered }, 0);
    expect(stepSleep(state, busy, 59_999).effects).toEqual([]);
    expect(stepSleep(state, busy, 60_000).effects).toEqual([{ kind: 'ask', terms: ordered, drainMs: 0 }]);
  });

  it('stays with what does not end where only its idleness speaks for it', () => {
    const { state } = stepSleep(AWAKE, { kind: 'begin', terms }, 0);
    expect(stepSleep(state, busy, 60_000)).toMatchObject({
      state: AWAKE,
      effects: [{ kind: 'cancelled', why: '2 requests did not end within 60 s' }],
    });
  });

  it('leaves to its agent what is left of the drain', () => {
    const { state } = stepSleep(AWAKE, { kind: 'begin', terms }, 0);
    expect(stepSleep(state, idle, 20_000).effects).toEqual([{ kind: 'ask', terms, drainMs: 40_000 }]);
  });

  it.each<[string, SleepEvent[], string[]]>([
    ['somebody needs it', [{ kind: 'cancel', why: 'a request' }], ['cancelled']],
    ['its link breaks', [{ kind: 'unlinked', goodbyeReason: null }], ['failed']],
    [
      'its agent refuses',
      [idle, { kind: 'answered', ok: false, code: 'engines_not_stopped', detail: 'no' }],
      ['ask', 'failed'],
    ],
    [
      'its agent stops instead',
      [idle, { kind: 'unlinked', goodbyeReason: 'service_stop' }],
      ['ask', 'failed'],
    ],
    ['it links again', [idle, { kind: 'linked' }], ['ask', 'failed']],
  ])('stays awake where %s', (_, events, told) => {
    expect(play([{ kind: 'begin', terms }, ...events])).toEqual({ state: 'awake', told });
  });

  it('stays awake where nothing comes of it in time', () => {
    const going = stepSleep(stepSleep(AWAKE, { kind: 'begin', terms }, 0).state, idle, 0).state;
    const deadlineMs = 60_000 + GOING_MS;
    expect(stepSleep(going, idle, deadlineMs - 1).effects).toEqual([]);
    expect(stepSleep(going, idle, deadlineMs)).toMatchObject({
      state: AWAKE,
      effects: [{ kind: 'failed', detail: 'its agent was asked 260 s ago, and it is still here' }],
    });
  });

  it('is asked in whole milliseconds, whatever the clock tells', () => {
    const { state } = stepSleep(AWAKE, { kind: 'begin', terms }, 0.25);
    expect(stepSleep(state, idle, 20_000.5).effects).toEqual([{ kind: 'ask', terms, drainMs: 40_000 }]);
  });

  it('is taken at its word where it goes without one', () => {
    expect(play([{ kind: 'begin', terms }, idle, { kind: 'unlinked', goodbyeReason: null }])).toEqual({
      state: 'asleep',
      told: ['ask', 'slept'],
    });
  });

  it('cannot be kept once it was asked', () => {
    const events: SleepEvent[] = [{ kind: 'begin', terms }, idle, { kind: 'cancel', why: 'a request' }];
    expect(play(events)).toEqual({ state: 'going', told: ['ask', 'refused'] });
  });

  it('only frees its card where that is declared, and keeps its link', () => {
    const events: SleepEvent[] = [
      { kind: 'begin', terms: parkTerms },
      idle,
      { kind: 'answered', ok: true, code: '', detail: '' },
    ];
    expect(play(events)).toEqual({ state: 'asleep', told: ['ask', 'slept'] });
    expect(play([...events, { kind: 'unlinked', goodbyeReason: null }])).toMatchObject({ state: 'asleep' });
  });

  it('is taken back while its card is freed, and over a link that breaks meanwhile', () => {
    const events: SleepEvent[] = [{ kind: 'begin', terms: parkTerms }, idle, { kind: 'linked' }];
    expect(play(events)).toEqual({ state: 'going', told: ['ask'] });
    const back = play([...events, { kind: 'cancel', why: 'a request' }]);
    expect(back).toEqual({ state: 'awake', told: ['ask', 'unpark', 'cancelled'] });
  });

  it('goes where an operator insists, whoever asks for it meanwhile', () => {
    const forced: SleepTerms = { ...ordered, isForced: true };
    const events: SleepEvent[] = [
      { kind: 'begin', terms: forced },
      { kind: 'cancel', why: 'a request' },
    ];
    expect(play(events)).toEqual({ state: 'draining', told: ['refused'] });
  });

  it('is put there once, and asked once, whatever happens in whatever order', () => {
    const event: fc.Arbitrary<SleepEvent> = fc.oneof(
      fc.constantFrom<SleepEvent>(
        { kind: 'begin', terms },
        { kind: 'begin', terms: parkTerms },
        { kind: 'begin', terms: ordered },
        { kind: 'cancel', why: 'x' },
        idle,
        busy,
        { kind: 'linked' },
        { kind: 'unlinked', goodbyeReason: 'suspend' },
        { kind: 'unlinked', goodbyeReason: null },
      ),
      fc.boolean().map((ok): SleepEvent => ({ kind: 'answered', ok, code: '', detail: '' })),
    );
    fc.assert(
      fc.property(fc.array(fc.tuple(event, fc.nat(100_000)), { maxLength: 60 }), (events) => {
        let state: SleepState = AWAKE;
        let nowMs = 0;
        let open = 0;
        for (const [each, laterMs] of events) {
          nowMs += laterMs;
          const before: SleepState = state;
          const { effects, ...next }: ReturnType<typeof stepSleep> = stepSleep(state, each, nowMs);
          state = next.state;
          for (const effect of effects) {
            if (effect.kind === 'ask') open += 1;
            if (['slept', 'failed', 'cancelled'].includes(effect.kind)) open = 0;
            // Nobody is asked with work in hand before the drain is over.
            if (effect.kind === 'ask' && each === busy) {
              expect(before.name === 'draining' && nowMs >= before.deadlineMs).toBe(true);
            }
          }
          expect(open).toBeLessThanOrEqual(1);
          expect(open === 1).toBe(state.name === 'going');
        }
      }),
      { numRuns: 300 },
    );
  });
});
