import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { Leaving } from './leaving.js';
import { HoldDownError } from './replica/hold-down-error.js';

/** Replicas that end, or do not, when a test says so. */
function stage() {
  const asked: string[] = [];
  const ends: { free: () => void; fail: (error: Error) => void }[] = [];
  const leaving = new Leaving({
    log: pino({ level: 'silent' }),
    replicas: {
      holdDown: (reason, { action, drainSeconds }) => {
        asked.push(`${reason} ${action} ${drainSeconds}`);
        return new Promise((free, fail) => ends.push({ free, fail }));
      },
      release: (reason) => {
        asked.push(`${reason} released`);
        ends.at(-1)?.fail(new HoldDownError('released', []));
      },
    },
  });
  const settle = async (end: (last: (typeof ends)[number]) => void): Promise<void> => {
    const last = ends.at(-1);
    if (last === undefined) throw new Error('nobody holds anything');
    end(last);
    await Promise.resolve();
    await Promise.resolve();
  };
  return { leaving, asked, settle };
}

const HOLD = 'leaving stop 60';
const stuck = new HoldDownError('not_free', ['a']);

describe('an agent that leaves', () => {
  test('drains once, however often it is asked, and is free then', async () => {
    const { leaving, asked, settle } = stage();
    expect(leaving.state).toBeNull();
    leaving.begin();
    leaving.begin();
    expect(leaving.state).toBe('draining');
    await settle(({ free }) => free());
    expect(leaving.state).toBe('free');
    leaving.begin();
    expect(leaving.state).toBe('free');
    expect(asked).toEqual([HOLD]);
  });

  test('tries anew where a replica did not end and it is asked again', async () => {
    const { leaving, asked, settle } = stage();
    leaving.begin();
    await settle(({ fail }) => fail(stuck));
    expect(leaving.state).toBe('stuck');
    leaving.begin();
    expect(leaving.state).toBe('draining');
    await settle(({ free }) => free());
    expect(leaving.state).toBe('free');
    expect(asked).toEqual([HOLD, HOLD]);
  });

  test.each(['free', 'stuck', 'draining'] as const)(
    'lets its replicas come back when it is given up: %s',
    async (state) => {
      const { leaving, asked, settle } = stage();
      leaving.begin();
      if (state === 'free') await settle(({ free }) => free());
      if (state === 'stuck') await settle(({ fail }) => fail(stuck));
      expect(leaving.state).toBe(state);
      leaving.giveUp();
      expect(leaving.state).toBeNull();
      await settle(() => undefined);
      expect(leaving.state).toBeNull();
      expect(asked).toEqual([HOLD, 'leaving released']);
    },
  );

  test('is not stuck by what was given up before it began anew', async () => {
    const { leaving, settle } = stage();
    leaving.begin();
    leaving.giveUp();
    leaving.begin();
    await settle(() => undefined);
    expect(leaving.state).toBe('draining');
  });

  test('that nobody asked has nothing to give up', () => {
    const { leaving, asked } = stage();
    leaving.giveUp();
    expect(asked).toEqual([]);
  });
});
