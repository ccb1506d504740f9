import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type FlightEvent,
  type FlightState,
  newFlight,
  nextPhase,
  nextTickMs,
  stepFlight,
  VOLLEYS_AT_MS,
  WAKE_PHASES,
} from './step-flight.js';

const rules = { timeoutMs: 300_000, signInGraceMs: 0 };

type Timed = readonly [atMs: number, event: FlightEvent];

const TICK: FlightEvent = { type: 'tick' };
const OUT: FlightEvent = { type: 'volley_sent', isOut: true, notes: [] };
const LINKED: FlightEvent = { type: 'linked' };

function replica(
  phase: 'absent' | 'starting' | 'loading' | 'ready' | 'failed' | 'crash_looping',
  more = {},
): FlightEvent {
  return { type: 'replica', deployment: 'deep', phase, isManaged: true, code: null, detail: null, ...more };
}

/** @returns what came of the events, and all effects as words */
function run(events: readonly Timed[], wanted: readonly string[] = ['deep'], using = rules) {
  let state: FlightState = newFlight(wanted);
  const effects: string[] = [];
  for (const [atMs, event] of events) {
    const step = stepFlight(state, event, atMs, using);
    if (!step.ok) {
      effects.push(`refused ${step.refusal.event}`);
      continue;
    }
    state = step.state;
    for (const effect of step.effects) {
      effects.push(effect.type === 'reached' ? `reached ${effect.phase}` : effect.type);
    }
  }
  return { state, effects };
}

describe('volleys', () => {
  it('leave at 0, 2, 5, 10, 20, 40 and 80 s, and no later', () => {
    const seconds = Array.from({ length: 3_000 }, (_, index) => index * 100);
    const sent: number[] = [];
    let state = newFlight(['deep']);
    for (const atMs of seconds.slice(0, 2_900)) {
      const step = stepFlight(state, TICK, atMs, rules);
      if (!step.ok) throw new Error('ended');
      state = step.state;
      if (step.effects.some(({ type }) => type === 'send_volley')) sent.push(atMs);
    }
    expect(sent).toEqual([...VOLLEYS_AT_MS]);
  });

  it('that were due while this process stood still are made up for by one', () => {
    expect(
      run([
        [0, TICK],
        [30_000, TICK],
        [30_001, TICK],
      ]).effects,
    ).toEqual(['send_volley', 'send_volley']);
  });

  it('are due when the next tick is', () => {
    expect(nextTickMs(newFlight([]), rules)).toBe(0);
    expect(nextTickMs(run([[0, TICK]]).state, rules)).toBe(2_000);
    expect(nextTickMs(run([[90_000, TICK]]).state, rules)).toBe(300_000);
    expect(
      nextTickMs(
        run([
          [0, TICK],
          [1, LINKED],
        ]).state,
        rules,
      ),
    ).toBe(300_000);
    expect(nextTickMs(newFlight([]), { ...rules, timeoutMs: 1_000 })).toBe(0);
    expect(nextTickMs(run([[0, { type: 'cancel', detail: 'x' }]]).state, rules)).toBeNull();
  });

  it('stop when the agent is back', () => {
    expect(
      run([
        [0, TICK],
        [1_000, LINKED],
        [2_000, TICK],
      ]).effects,
    ).toEqual(['send_volley', 'reached agent_back', 'hold_awake']);
  });

  it('that nobody sends fail the wake after the last one', () => {
    const none: FlightEvent = { type: 'volley_sent', isOut: false, notes: ['no route'] };
    const all = VOLLEYS_AT_MS.flatMap((atMs): Timed[] => [
      [atMs, TICK],
      [atMs, none],
    ]);
    expect(run(all.slice(0, -1)).state.name).toBe('calling');
    expect(run(all).state.end).toMatchObject({ code: 'not_sent', phase: 'packet_sent', detail: 'no route' });
  });

  it('of which one left are enough', () => {
    const none: FlightEvent = { type: 'volley_sent', isOut: false, notes: ['no route'] };
    const { state } = run([
      [0, OUT],
      [80_000, TICK],
      [80_001, none],
    ]);
    expect(state).toMatchObject({ name: 'calling', reached: { packet_sent: 0 }, notes: ['no route'] });
  });

  it('leave the latest eight of their notes', () => {
    const noted = Array.from(
      { length: 12 },
      (_, n): Timed => [n, { type: 'volley_sent', isOut: true, notes: [`${n}`] }],
    );
    expect(run(noted).state.notes).toEqual(['4', '5', '6', '7', '8', '9', '10', '11']);
  });
});

describe('phases', () => {
  const whole: readonly Timed[] = [
    [0, TICK],
    [3, OUT],
    [9_000, { type: 'answered' }],
    [31_000, LINKED],
    [36_000, replica('starting')],
    [48_000, replica('ready')],
  ];

  it('are timed from the wish, each once', () => {
    const twice = whole.flatMap(([atMs, event]): Timed[] => [
      [atMs, event],
      [atMs + 1, event],
    ]);
    const { state, effects } = run(twice);
    expect(state).toMatchObject({
      name: 'ended',
      end: { outcome: 'ready' },
      reached: { packet_sent: 3, answers: 9_000, agent_back: 31_000, engine_up: 36_000, model_ready: 48_000 },
      readyAt: { deep: 48_000 },
    });
    expect(effects.filter((each) => each.startsWith('reached'))).toEqual(
      WAKE_PHASES.map((phase) => `reached ${phase}`),
    );
  });

  it('may be passed over: a firewall answers nothing, and a model may be ready at the first look', () => {
    const { state } = run([
      [0, OUT],
      [30_000, LINKED],
      [30_001, replica('ready')],
    ]);
    expect(state.reached).toEqual({
      packet_sent: 0,
      agent_back: 30_000,
      engine_up: 30_001,
      model_ready: 30_001,
    });
  });

  it('are not reached by what is told before the agent is back', () => {
    expect(
      run([
        [0, OUT],
        [10, replica('ready')],
      ]).state,
    ).toMatchObject({ name: 'calling', readyAt: {} });
  });

  it.each([
    ['starting', true, true],
    ['starting', false, false],
    ['loading', false, true],
    ['absent', true, false],
    ['failed', true, false],
  ] as const)(
    'a replica that is %s (its agent keeps it: %s) shows that its engine is up: %s',
    (phase, isManaged, up) => {
      const { state } = run([
        [0, LINKED],
        [1, replica(phase, { isManaged })],
      ]);
      expect(state.reached.engine_up !== undefined).toBe(up);
    },
  );

  it.each(WAKE_PHASES)('the next one after %s is the one that is waited for', (phase) => {
    const state = { ...newFlight(['deep']), reached: { [phase]: 1 } };
    expect(nextPhase(state)).toBe(WAKE_PHASES[WAKE_PHASES.indexOf(phase) + 1] ?? 'model_ready');
  });
});

describe('an end', () => {
  it('comes with the agent where no model is wanted', () => {
    const { state } = run(
      [
        [0, TICK],
        [5_000, LINKED],
      ],
      [],
    );
    expect(state).toMatchObject({ end: { outcome: 'ready' }, reached: { agent_back: 5_000 } });
    expect(state.reached.model_ready).toBeUndefined();
  });

  it('waits for all that is wanted, also what is wanted later', () => {
    const events: Timed[] = [
      [0, LINKED],
      [1, { type: 'want', deployments: ['fast', 'deep'] }],
      [2, replica('ready')],
      [3, replica('ready', { deployment: 'other' })],
    ];
    expect(run(events).state).toMatchObject({ name: 'starting', wanted: ['deep', 'fast'] });
    expect(run([...events, [9, replica('ready', { deployment: 'fast' })]]).state).toMatchObject({
      end: { outcome: 'ready' },
      readyAt: { deep: 2, fast: 9 },
    });
  });

  it.each([
    ['nothing was sent', [[300_000, TICK]], 'packet_sent', 'not_sent'],
    [
      'nothing was heard',
      [
        [0, OUT],
        [300_000, TICK],
      ],
      'answers',
      'timeout',
    ],
    [
      'no agent came',
      [
        [0, OUT],
        [1, { type: 'answered' }],
        [300_000, TICK],
      ],
      'agent_back',
      'timeout',
    ],
    [
      'no engine came',
      [
        [0, OUT],
        [1, LINKED],
        [300_000, TICK],
      ],
      'engine_up',
      'timeout',
    ],
    [
      'no model came',
      [
        [0, OUT],
        [1, LINKED],
        [2, replica('loading')],
        [300_000, TICK],
      ],
      'model_ready',
      'timeout',
    ],
  ] satisfies [string, Timed[], string, string][])(
    'in time, when %s, names the phase',
    (_, events, phase, code) => {
      expect(run(events).state.end).toMatchObject({ outcome: 'failed', phase, code });
    },
  );

  it('in time is a success where some of what was wanted is ready', () => {
    const { state } = run(
      [
        [0, LINKED],
        [1, replica('ready')],
        [300_000, TICK],
      ],
      ['deep', 'broken'],
    );
    expect(state.end).toEqual({ outcome: 'ready' });
  });

  it('comes at once at a login screen, or after a grace where somebody is signed in by itself', () => {
    const locked: FlightEvent = { type: 'sign_in_needed', detail: 'nobody is signed in' };
    const patient = { ...rules, signInGraceMs: 60_000 };
    expect(run([[0, locked]]).state.name).toBe('calling');
    expect(
      run([
        [0, LINKED],
        [1, locked],
      ]).state.end,
    ).toMatchObject({ code: 'sign_in_needed', phase: 'engine_up' });
    const early: Timed[] = [
      [10_000, LINKED],
      [69_999, locked],
    ];
    expect(run(early, ['deep'], patient).state.name).toBe('starting');
    expect(run([...early, [70_000, locked]], ['deep'], patient).state.end).toMatchObject({
      code: 'sign_in_needed',
    });
    const failed = replica('failed', { code: 'sign_in_needed', detail: 'waits' });
    expect(
      run(
        [
          [0, LINKED],
          [5, failed],
        ],
        ['deep'],
        patient,
      ).state.name,
    ).toBe('starting');
    expect(
      run([
        [0, LINKED],
        [5, failed],
      ]).state.end,
    ).toMatchObject({ detail: 'waits' });
  });

  it('comes when the only model ends again and again, not for a failure that is tried again', () => {
    expect(
      run([
        [0, LINKED],
        [1, replica('failed', { code: 'image' })],
      ]).state.name,
    ).toBe('starting');
    expect(
      run([
        [0, LINKED],
        [1, replica('crash_looping', { detail: 'CUDA is gone' })],
      ]).state.end,
    ).toMatchObject({
      code: 'engine_failed',
      detail: 'CUDA is gone',
    });
    expect(
      run(
        [
          [0, LINKED],
          [1, replica('crash_looping')],
        ],
        ['deep', 'fast'],
      ).state.name,
    ).toBe('starting');
  });

  it.each([
    ['suspend', 'slept_again', /went to sleep again by itself, 9 s after/],
    ['shutdown', 'slept_again', /shut down again by itself, 9 s after/],
    ['restart', null, null],
    ['service_stop', null, null],
  ] as const)('comes when the machine goes away again because of %s: %s', (reason, code, told) => {
    const { state } = run([
      [20_000, LINKED],
      [29_000, { type: 'gone', reason }],
    ]);
    const end = state.end?.outcome === 'failed' ? state.end : null;
    expect(end?.code ?? null).toBe(code);
    if (told) expect(end?.detail).toMatch(told);
  });

  it('is far where the machine goes again without a word: it is called anew', () => {
    const { state, effects } = run([
      [20_000, LINKED],
      [59_000, { type: 'gone', reason: null }],
      [61_000, TICK],
      [63_000, LINKED],
    ]);
    expect(effects.filter((effect) => effect === 'send_volley')).toHaveLength(2);
    expect(state).toMatchObject({ name: 'starting', end: null, callsFromMs: 59_000 });
  });

  it('is the last word: what comes after it is refused', () => {
    expect(
      run([
        [0, { type: 'cancel', detail: 'x' }],
        [1, TICK],
        [2, LINKED],
      ]).effects,
    ).toEqual(['ended', 'refused tick', 'refused linked']);
  });
});

describe('whatever happens in whatever order', () => {
  const event = fc.oneof(
    fc.constant(TICK),
    fc.constant(LINKED),
    fc.boolean().map((isOut): FlightEvent => ({ type: 'volley_sent', isOut, notes: ['n'] })),
    fc.constant<FlightEvent>({ type: 'answered' }),
    fc
      .constantFrom(
        'absent' as const,
        'starting' as const,
        'loading' as const,
        'ready' as const,
        'failed' as const,
      )
      .map((phase) => replica(phase)),
    fc
      .constantFrom('suspend' as const, 'restart' as const, null)
      .map((reason): FlightEvent => ({ type: 'gone', reason })),
    fc.constant<FlightEvent>({ type: 'want', deployments: ['deep', 'fast'] }),
  );
  const history = fc.array(fc.tuple(fc.integer({ min: 0, max: 20_000 }), event), { maxLength: 60 });

  it('phases are reached in time’s order, volleys are bounded, and it ends once and by its deadline', () => {
    fc.assert(
      fc.property(history, (steps) => {
        let atMs = 0;
        const timed = steps.map(([passed, each]): Timed => {
          atMs += passed;
          return [atMs, each];
        });
        const { state, effects } = run([...timed, [Math.max(atMs, 300_000), TICK]]);
        expect(state.name).toBe('ended');
        expect(effects.filter((each) => each === 'ended')).toHaveLength(1);
        expect(effects.filter((each) => each === 'send_volley').length).toBeLessThanOrEqual(
          VOLLEYS_AT_MS.length * (1 + state.recalls),
        );
        expect(state.recalls).toBeLessThanOrEqual(2);
        expect(effects.filter((each) => each === 'hold_awake').length).toBeLessThanOrEqual(1 + state.recalls);
        const { agent_back, engine_up, model_ready } = state.reached;
        const late = [agent_back, engine_up, model_ready].filter((each) => each !== undefined);
        expect(late).toEqual([...late].sort((one, other) => one - other));
        if (state.end?.outcome === 'ready') expect(agent_back).toBeDefined();
      }),
      { numRuns: 300 },
    );
  });
});
