import { type DesiredReplica, describeReplica } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { Hold } from './decide/combine-holds.js';
import { ReplicaKeepers } from './replica-keepers.js';

const desired = (deployment: string, port = 8_000): DesiredReplica => ({
  deployment,
  task: 'chat',
  engine: 'external',
  url: `http://127.0.0.1:${port}`,
  servedModel: 'qwen',
});

function keepAll() {
  const clock = new ManualClock();
  const opened: string[] = [];
  const closed: string[] = [];
  let changes = 0;
  let slow: Promise<void> | null = null;
  const held: string[] = [];
  const stuck = new Set<string>();
  const hold = (deployment: string, asked: Hold | null): Promise<void> => {
    held.push(`${deployment} ${asked === null ? 'free' : `${asked.action} ${asked.drainSeconds}`}`);
    return asked !== null && stuck.has(deployment) ? new Promise(() => undefined) : Promise.resolve();
  };
  const keepers = new ReplicaKeepers({
    clock,
    log: pino({ level: 'silent' }),
    cadenceMs: 1_000,
    onChange: () => {
      changes += 1;
    },
    open: ({ desired: wanted, hold: heldFrom }) => {
      const { deployment } = wanted;
      if (heldFrom !== null) held.push(`${deployment} ${heldFrom.action} from its start`);
      opened.push(`${deployment} ${wanted.engine === 'external' ? wanted.url : ''}`);
      return {
        status: () => describeReplica({ deployment, phase: 'ready' }),
        issues: () => [],
        engineAddress: () => ({ host: '127.0.0.1', port: 8_000, key: deployment }),
        change: () => false,
        hold: (asked) => hold(deployment, asked),
        doubt: () => void held.push(`${deployment} doubted`),
        logs: () => null,
        retire: () => Promise.resolve(void closed.push(deployment)),
        reading: () => null,
        refreshReading: () => slow ?? Promise.resolve(),
        close: () => Promise.resolve(void closed.push(deployment)),
      };
    },
  });
  const apply = (...replicas: DesiredReplica[]): void =>
    keepers.applyDesired({ name: 'apply_desired', revision: 1, replicas });
  return {
    clock,
    keepers,
    opened,
    closed,
    held,
    stuck,
    apply,
    changes: () => changes,
    slowDown: (until: Promise<void>) => {
      slow = until;
    },
  };
}

describe('the replicas of a host', () => {
  test('are all doubted after a sleep', () => {
    const { apply, held, keepers } = keepAll();
    apply(desired('a'), desired('b'));
    keepers.doubt();
    expect(held).toEqual(['a doubted', 'b doubted']);
  });

  test('become what is desired, and what stays the same is not touched', () => {
    const { apply, opened, closed, keepers } = keepAll();
    apply(desired('a'), desired('b'));
    apply(desired('a'), desired('c'));
    expect(opened).toEqual(['a http://127.0.0.1:8000', 'b http://127.0.0.1:8000', 'c http://127.0.0.1:8000']);
    expect(closed).toEqual(['b']);
    expect(keepers.statuses().map(({ deployment }) => deployment)).toEqual(['a', 'c']);
  });

  test('the first wish is told of even if it is empty', () => {
    const { apply, changes } = keepAll();
    apply();
    expect(changes()).toBe(1);
    apply();
    expect(changes()).toBe(1);
  });

  test('one that is desired at another address is another', () => {
    const { apply, opened, closed } = keepAll();
    apply(desired('a'));
    apply(desired('a', 9_000));
    expect(closed).toEqual(['a']);
    expect(opened.at(-1)).toBe('a http://127.0.0.1:9000');
  });

  test('the same wish twice changes nothing', () => {
    const { apply, changes } = keepAll();
    apply(desired('a'));
    const before = changes();
    apply(desired('a'));
    expect(changes()).toBe(before);
  });

  test('a slow engine does not hold up the others’ readings', async () => {
    const { apply, keepers, clock, slowDown } = keepAll();
    apply(desired('a'));
    slowDown(new Promise(() => undefined));
    let refreshed = false;
    const refresh = keepers.refreshReadings(400).then(() => {
      refreshed = true;
    });
    clock.advance(399);
    await Promise.resolve();
    expect(refreshed).toBe(false);
    clock.advance(1);
    await refresh;
  });

  test('after the end nothing is opened any more', async () => {
    const { apply, keepers, opened, closed } = keepAll();
    apply(desired('a'));
    await keepers.close();
    apply(desired('b'));
    expect(closed).toEqual(['a']);
    expect(opened).toHaveLength(1);
  });
});

describe('replicas that are held down', () => {
  const PARK = { action: 'park', drainSeconds: 20 } as const;

  test('give their cards back, and come back when they are let go', async () => {
    const { apply, keepers, held } = keepAll();
    apply(desired('a'), desired('b'));
    await keepers.holdDown('owner', PARK);
    keepers.release('owner');
    expect(held).toEqual(['a park 20', 'b park 20', 'a free', 'b free']);
  });

  test('stay down until the last reason is gone', async () => {
    const { apply, keepers, held } = keepAll();
    apply(desired('a'));
    await keepers.holdDown('owner', PARK);
    await keepers.holdDown('power', { action: 'stop', drainSeconds: 60 });
    keepers.release('power');
    keepers.release('owner');
    expect(held).toEqual(['a park 20', 'a stop 20', 'a park 20', 'a free']);
  });

  test('may be let go by whoever does not hold them', () => {
    const { apply, keepers, held } = keepAll();
    apply(desired('a'));
    keepers.release('power');
    expect(held).toEqual([]);
  });

  test('that are declared meanwhile are held from their start', async () => {
    const { apply, keepers, held } = keepAll();
    await keepers.holdDown('parked', PARK);
    apply(desired('a'));
    expect(held).toEqual(['a park from its start']);
  });

  test('that do not give their cards back in time are named', async () => {
    const { apply, keepers, stuck, clock } = keepAll();
    stuck.add('b');
    apply(desired('a'), desired('b'));
    const down = keepers.holdDown('power', PARK);
    const failed = expect(down).rejects.toMatchObject({ code: 'not_free', deployments: ['b'] });
    await Promise.resolve();
    clock.advance(20_000 + 150_000);
    await failed;
  });

  test('that are let go before that end the wait', async () => {
    const { apply, keepers, stuck } = keepAll();
    stuck.add('a');
    apply(desired('a'));
    const down = keepers.holdDown('power', PARK);
    keepers.release('power');
    await expect(down).rejects.toMatchObject({ code: 'released' });
  });
});
