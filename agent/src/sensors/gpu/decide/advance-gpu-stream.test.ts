import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { advanceGpuStream } from './advance-gpu-stream.js';
import { noGpu, type ToolFailure, toolFailed } from './classify-tool-failure.js';
import {
  type GpuStreamEffect,
  type GpuStreamEvent,
  type GpuStreamState,
  type GpuStreamTimes,
  initialGpuStream,
} from './gpu-stream-state.js';

const TIMES: GpuStreamTimes = {
  firstRowMs: 60_000,
  rowMs: 15_000,
  killMs: 5_000,
  absentMs: 600_000,
  reprobeMs: 300_000,
  healthyMs: 60_000,
};

const FOUND: GpuStreamEvent = { type: 'tool_found', blocked: false };
const TIMER: GpuStreamEvent = { type: 'timer', blocked: false };
const ROW: GpuStreamEvent = { type: 'row' };
const exited = (failure: ToolFailure, others: readonly string[] = []): GpuStreamEvent => ({
  type: 'exited',
  failure,
  others,
});
const BROKEN = exited({ kind: 'problem', issue: toolFailed('it broke', null) });
const refusedField = (field: string): GpuStreamEvent => exited({ kind: 'field_refused', field });

function play(
  events: readonly (GpuStreamEvent | number)[],
  from: GpuStreamState = initialGpuStream,
): { state: GpuStreamState; effects: readonly GpuStreamEffect[]; refused: string | undefined } {
  let nowMs = 0;
  let state = from;
  let effects: readonly GpuStreamEffect[] = [];
  let refused: string | undefined;
  for (const event of events) {
    if (typeof event === 'number') {
      nowMs += event;
      continue;
    }
    const step = advanceGpuStream(state, event, nowMs, TIMES);
    ({ state, effects } = step);
    refused = step.refused;
  }
  return { state, effects, refused };
}

const kinds = (effects: readonly GpuStreamEffect[]): string[] => effects.map(({ type }) => type);

describe('the way to the first reading', () => {
  it('looks for the tool, starts it, and gives a cold driver a minute', () => {
    expect(kinds(play([{ type: 'opened' }]).effects)).toEqual(['find_tool']);
    const { state, effects } = play([{ type: 'opened' }, FOUND]);
    expect(state.phase).toBe('starting');
    expect(effects).toMatchObject([
      { type: 'start', only: [] },
      { type: 'timer', afterMs: 60_000 },
    ]);
  });

  it('runs from the first row on, with a shorter deadline per row', () => {
    const { state, effects } = play([{ type: 'opened' }, FOUND, ROW]);
    expect(state).toMatchObject({ phase: 'running', issue: null });
    expect(effects).toEqual([{ type: 'timer', afterMs: 15_000 }]);
  });

  it('asks again at once without a field that the driver refuses', () => {
    const { state, effects } = play([{ type: 'opened' }, FOUND, refusedField('clocks_event_reasons.active')]);
    expect(state).toMatchObject({ phase: 'starting', attempt: 0, issue: null });
    const [start] = effects;
    const names = start?.type === 'start' ? start.fields.map(({ name }) => name) : [];
    expect(names).toContain('clocks_throttle_reasons.active');
    expect(names).not.toContain('clocks_event_reasons.active');
  });

  it('does not ask for ever when the driver refuses a field that nobody asked for, or the UUID', () => {
    expect(play([{ type: 'opened' }, FOUND, refusedField('surprise')]).state).toMatchObject({
      phase: 'resting',
      issue: { code: 'gpu_tool_failed' },
    });
    const { state } = play([{ type: 'opened' }, FOUND, refusedField('uuid'), refusedField('gpu_uuid')]);
    expect(state).toMatchObject({ phase: 'resting', issue: { code: 'gpu_tool_failed' } });
  });
});

describe('a host without a card', () => {
  it('is calm: it looks again in ten minutes', () => {
    const { state, effects } = play([{ type: 'opened' }, { type: 'tool_missing', issue: noGpu('none') }]);
    expect(state).toMatchObject({ phase: 'absent', issue: { code: 'no_gpu', severity: 'info' } });
    expect(effects).toEqual([{ type: 'timer', afterMs: 600_000 }]);
    expect(play([TIMER], state).state.phase).toBe('finding');
  });

  it('is one as well when the driver is there and finds nothing', () => {
    const { state } = play([
      { type: 'opened' },
      FOUND,
      exited({ kind: 'problem', issue: noGpu('no devices') }),
    ]);
    expect(state.phase).toBe('absent');
  });

  it('finds a card that is put in later', () => {
    const { state } = play([
      { type: 'opened' },
      { type: 'tool_missing', issue: noGpu('none') },
      TIMER,
      FOUND,
      ROW,
    ]);
    expect(state).toMatchObject({ phase: 'running', issue: null });
  });

  it('is not one when the configured path is wrong: that is tried again by backoff', () => {
    const { state, effects } = play([
      { type: 'opened' },
      { type: 'tool_missing', issue: toolFailed('wrong path', null) },
    ]);
    expect(state.phase).toBe('resting');
    expect(kinds(effects)).toEqual(['backoff']);
  });
});

describe('a tool that ends', () => {
  it('is started again after a backoff that grows', () => {
    const first = play([{ type: 'opened' }, FOUND, BROKEN]);
    expect(first.effects).toEqual([{ type: 'backoff', attempt: 0 }]);
    const third = play([TIMER, FOUND, BROKEN, TIMER, FOUND, BROKEN], first.state);
    expect(third.effects).toEqual([{ type: 'backoff', attempt: 2 }]);
    expect(third.state.issue?.detail).toBe('it broke');
  });

  it('begins its backoff anew after a good minute, not after one row', () => {
    const short = play([{ type: 'opened' }, FOUND, BROKEN, TIMER, FOUND, ROW, BROKEN]);
    expect(short.effects).toEqual([{ type: 'backoff', attempt: 1 }]);
    const long = play([{ type: 'opened' }, FOUND, BROKEN, TIMER, FOUND, ROW, 60_000, ROW, BROKEN]);
    expect(long.effects).toEqual([{ type: 'backoff', attempt: 0 }]);
  });

  it('is forgiven by its next row', () => {
    expect(play([{ type: 'opened' }, FOUND, BROKEN, TIMER, FOUND, ROW]).state.issue).toBeNull();
  });
});

describe('a tool that is silent', () => {
  const silent = play([{ type: 'opened' }, FOUND, ROW, 15_000, TIMER]);

  it('is killed, and the driver is called hung', () => {
    expect(silent.state).toMatchObject({ phase: 'stopping', issue: { code: 'driver_hung' } });
    expect(silent.effects).toEqual([{ type: 'kill' }, { type: 'timer', afterMs: 5_000 }]);
  });

  it('is started again once it is dead, and stays hung until it speaks', () => {
    const dead = play([BROKEN], silent.state);
    expect(dead.state).toMatchObject({ phase: 'resting', issue: { code: 'driver_hung' } });
    expect(play([TIMER, FOUND], dead.state).state.issue?.code).toBe('driver_hung');
    expect(play([TIMER, FOUND, ROW], dead.state).state.issue).toBeNull();
  });

  it('is abandoned when it does not die, and nothing is started beside it', () => {
    const abandoned = play([TIMER], silent.state);
    expect(abandoned.state).toMatchObject({ phase: 'abandoned', issue: { code: 'driver_hung' } });
    expect(abandoned.effects).toEqual([{ type: 'abandon' }]);
    for (const event of [TIMER, FOUND, ROW, { type: 'opened' } as const]) {
      const next = play([event], abandoned.state);
      expect(next.refused).toBeDefined();
      expect(next.effects).toEqual([]);
    }
    expect(play([BROKEN], abandoned.state).state.phase).toBe('resting');
  });

  it('waits as long as another one hangs', () => {
    const blocked = play([{ type: 'opened' }, FOUND, BROKEN, { type: 'timer', blocked: true }]);
    expect(blocked.state).toMatchObject({ phase: 'resting', issue: { code: 'driver_hung' } });
    expect(kinds(blocked.effects)).toEqual(['timer']);
    const atStart = play([{ type: 'opened' }, { type: 'tool_found', blocked: true }]);
    expect(kinds(atStart.effects)).toEqual(['timer']);
    expect(play([TIMER, FOUND], atStart.state).state.phase).toBe('starting');
  });
});

describe('garbage', () => {
  const bad: GpuStreamEvent = { type: 'bad_line', text: 'lorem \u0007 ipsum' };

  it('is put up with for a few lines, and counts from the last row', () => {
    const seven = Array.from({ length: 7 }, () => bad);
    expect(play([{ type: 'opened' }, FOUND, ...seven, ROW, ...seven]).state.phase).toBe('running');
  });

  it('ends the run when there is nothing else, and is quoted', () => {
    const { state, effects } = play([{ type: 'opened' }, FOUND, ...Array.from({ length: 8 }, () => bad)]);
    expect(state).toMatchObject({ phase: 'stopping', issue: { code: 'gpu_tool_failed' } });
    expect(state.issue?.detail).toContain('lorem ipsum');
    expect(state.issue?.fix).toContain('Run nvidia-smi by hand');
    expect(kinds(effects)).toContain('kill');
  });
});

describe('a lost card that fails the whole command', () => {
  const lostB = exited({ kind: 'card_lost', busId: '0000:02:00.0' }, ['0000:01:00.0', '0000:03:00.0']);
  const without = play([{ type: 'opened' }, FOUND, ROW, lostB]);

  it('is left out at once, and the others go on', () => {
    expect(without.state).toMatchObject({ phase: 'starting', issue: null });
    expect(without.effects[0]).toMatchObject({ type: 'start', only: ['0000:01:00.0', '0000:03:00.0'] });
  });

  it('may be joined by a second one', () => {
    const { effects } = play(
      [exited({ kind: 'card_lost', busId: '0000:03:00.0' }, ['0000:01:00.0', '0000:02:00.0'])],
      without.state,
    );
    expect(effects[0]).toMatchObject({ type: 'start', only: ['0000:01:00.0'] });
  });

  it('is asked again after five minutes', () => {
    const { state, effects } = play([ROW, 299_000, ROW], without.state);
    expect(kinds(effects)).toEqual(['timer']);
    const due = play([300_000, ROW], state);
    expect(due.state).toMatchObject({ phase: 'stopping', excluded: [], issue: null });
    const again = play([BROKEN, FOUND], due.state);
    expect(again.effects[0]).toMatchObject({ type: 'start', only: [] });
  });

  it('is tried again later when it is the only one, without blaming the tool', () => {
    const { state, effects } = play([
      { type: 'opened' },
      FOUND,
      exited({ kind: 'card_lost', busId: '0000:02:00.0' }, []),
    ]);
    expect(state).toMatchObject({ phase: 'resting', issue: null, excluded: [] });
    expect(kinds(effects)).toEqual(['backoff']);
  });

  it('does not make it spin when leaving it out does not help', () => {
    const { state, effects } = play([lostB], without.state);
    expect(state.phase).toBe('resting');
    expect(kinds(effects)).toEqual(['backoff']);
  });

  it('blames the tool when nobody says which card it is', () => {
    const { state } = play([
      { type: 'opened' },
      FOUND,
      exited({ kind: 'card_lost', busId: null }, ['0000:01:00.0']),
    ]);
    expect(state).toMatchObject({ phase: 'resting', issue: { code: 'gpu_tool_failed' } });
  });
});

describe('the end', () => {
  it('kills a living child and nothing else, and takes no further event', () => {
    const closed = play([{ type: 'opened' }, FOUND, ROW, { type: 'close' }]);
    expect(closed.state.phase).toBe('closed');
    expect(closed.effects).toEqual([{ type: 'kill' }]);
    expect(play([{ type: 'opened' }, { type: 'close' }]).effects).toEqual([]);
    for (const event of [BROKEN, TIMER, FOUND, ROW, { type: 'close' } as const]) {
      expect(play([event], closed.state)).toMatchObject({
        effects: [],
        refused: expect.stringContaining('closed'),
      });
    }
  });
});

describe('whatever happens', () => {
  const event: fc.Arbitrary<GpuStreamEvent> = fc.oneof(
    fc.constantFrom<GpuStreamEvent>({ type: 'opened' }, ROW, FOUND, BROKEN, { type: 'bad_line', text: '?' }),
    fc.boolean().map((blocked): GpuStreamEvent => ({ type: 'timer', blocked })),
    fc.boolean().map((blocked): GpuStreamEvent => ({ type: 'tool_found', blocked })),
    fc
      .constantFrom(noGpu('none'), toolFailed('x', null))
      .map((issue): GpuStreamEvent => ({ type: 'tool_missing', issue })),
    fc.constantFrom('uuid', 'gpu_uuid', 'pstate', 'other').map(refusedField),
    fc
      .tuple(fc.constantFrom('a', 'b', null), fc.subarray(['a', 'b', 'c']))
      .map(([busId, others]) => exited({ kind: 'card_lost', busId }, others)),
  );

  it('no child is started while another is alive or abandoned', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(event, fc.integer({ min: 0, max: 400_000 })), { maxLength: 60 }),
        (steps) => {
          let state = initialGpuStream;
          let alive = false;
          let nowMs = 0;
          for (const [next, byMs] of steps) {
            if (next.type === 'exited' && !alive) continue;
            nowMs += byMs;
            const step = advanceGpuStream(state, next, nowMs, TIMES);
            if (next.type === 'exited') alive = false;
            for (const effect of step.effects) {
              if (effect.type === 'start') {
                expect(alive).toBe(false);
                alive = true;
              }
            }
            state = step.state;
            expect(alive).toBe(['starting', 'running', 'stopping', 'abandoned'].includes(state.phase));
          }
        },
      ),
      { numRuns: 300 },
    );
  });

  it('there is always a next thing to wait for: a timer, a search or an end', () => {
    fc.assert(
      fc.property(fc.array(event, { maxLength: 60 }), (events) => {
        let state = initialGpuStream;
        let waits = false;
        for (const next of [{ type: 'opened' } as const, ...events]) {
          const step = advanceGpuStream(state, next, 0, TIMES);
          if (next.type === 'timer' && step.refused === undefined) waits = false;
          if (step.effects.some(({ type }) => type === 'timer' || type === 'backoff')) waits = true;
          state = step.state;
          expect(waits || state.phase === 'finding' || state.phase === 'abandoned').toBe(true);
        }
      }),
      { numRuns: 300 },
    );
  });
});
