import { type DesiredReplica, describeReplica } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
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
  const keepers = new ReplicaKeepers({
    clock,
    log: pino({ level: 'silent' }),
    cadenceMs: 1_000,
    onChange: () => {
      changes += 1;
    },
    open: ({ desired: wanted }) => {
      const { deployment } = wanted;
      opened.push(`${deployment} ${wanted.engine === 'external' ? wanted.url : ''}`);
      return {
        status: () => describeReplica({ deployment, phase: 'ready' }),
        issues: () => [],
        engineAddress: () => ({ host: '127.0.0.1', port: 8_000, key: deployment }),
        change: () => false,
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
    apply,
    changes: () => changes,
    slowDown: (until: Promise<void>) => {
      slow = until;
    },
  };
}

describe('the replicas of a host', () => {
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
