import { type EngineReading, type ExternalReplica, emptyEngineReading } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import { reading, type SensorResult, unavailable } from '../sensors/sensor.js';
import type { LookResult } from './decide/replica-observation.js';
import type { LookStep } from './engine-probe.js';
import { externalKeeper } from './external-keeper.js';

const desired: ExternalReplica = {
  deployment: 'qwen-armitage',
  task: 'chat',
  engine: 'external',
  url: 'http://127.0.0.1:8000',
  servedModel: 'qwen',
};
const listed: LookResult = {
  kind: 'models',
  models: [{ id: 'qwen', maxModelLen: 4_096 }],
  engineVersion: '0.32.0',
};
const noMetrics = unavailable({
  code: 'engine_unreachable',
  subject: 'qwen-armitage',
  severity: 'warning',
  detail: 'no metrics',
  fix: null,
});

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function watch() {
  const clock = new ManualClock();
  const steps: LookStep['kind'][] = [];
  const engine: {
    answer: Partial<Record<LookStep['kind'], LookResult>>;
    metrics: SensorResult<EngineReading>;
  } = {
    answer: {},
    metrics: reading({ ...emptyEngineReading, running: 0, waiting: 0 }),
  };
  let changes = 0;
  let closed = 0;
  const keeper = externalKeeper(
    {
      desired,
      clock,
      log: pino({ level: 'silent' }),
      cadenceMs: 1_000,
      containers: null,
      hold: null,
      onChange: () => {
        changes += 1;
      },
    },
    {
      probe: {
        look: (step) => {
          steps.push(step.kind);
          return Promise.resolve(
            engine.answer[step.kind] ?? { kind: 'refused', detail: 'refuses connections' },
          );
        },
        close: () => {
          closed += 1;
        },
      },
      metrics: {
        read: () => Promise.resolve(engine.metrics),
        close: () => {
          closed += 1;
          return Promise.resolve();
        },
      },
    },
  );
  const pass = async (ms: number): Promise<void> => {
    await settle();
    for (let passed = 0; passed < ms; passed += 250) {
      clock.advance(250);
      await settle();
    }
  };
  const live = (): void => {
    engine.answer = { list_models: listed, prove: { kind: 'proved' }, check_health: { kind: 'healthy' } };
  };
  return { clock, keeper, steps, engine, pass, live, changes: () => changes, closed: () => closed };
}

describe('a keeper of an external engine', () => {
  test('waits for it to come, proves it with a token, and calls it ready', async () => {
    const { keeper, pass, live, steps } = watch();
    await pass(3_000);
    expect(keeper.status()).toMatchObject({ phase: 'starting', detail: 'refuses connections' });
    live();
    await pass(1_000);
    expect(keeper.status()).toMatchObject({ phase: 'ready', maxModelLen: 4_096, engineVersion: '0.32.0' });
    expect(steps.slice(-2)).toEqual(['list_models', 'prove']);
    await pass(2_000);
    expect(steps.slice(-2)).toEqual(['check_health', 'check_health']);
    await keeper.close();
  });

  test('is asked for a token again when its machine slept', async () => {
    const { keeper, pass, live, steps } = watch();
    live();
    await pass(3_000);
    steps.length = 0;
    keeper.doubt();
    expect(keeper.status().phase).toBe('starting');
    await pass(1_000);
    expect(steps.slice(0, 2)).toEqual(['list_models', 'prove']);
    expect(keeper.status().phase).toBe('ready');
    await keeper.close();
  });

  test('tells each change once', async () => {
    const { pass, live, changes, keeper } = watch();
    await pass(1_000);
    const before = changes();
    await pass(5_000);
    expect(changes()).toBe(before);
    live();
    await pass(5_000);
    expect(changes()).toBe(before + 2);
    await keeper.close();
  });

  test('gives readings only while it is ready, and only fresh ones', async () => {
    const { clock, pass, live, keeper } = watch();
    await keeper.refreshReading();
    expect(keeper.reading()).toBeNull();
    live();
    await pass(1_000);
    await keeper.refreshReading();
    expect(keeper.reading()).toMatchObject({ waiting: 0 });
    clock.advance(3_501);
    expect(keeper.reading()).toBeNull();
    await keeper.close();
  });

  test('tells a change of the queue at once, and no other change of a reading', async () => {
    const { engine, pass, live, keeper, changes } = watch();
    live();
    await pass(1_000);
    await keeper.refreshReading();
    const before = changes();
    engine.metrics = reading({ ...emptyEngineReading, running: 7, waiting: 0 });
    await keeper.refreshReading();
    expect(changes()).toBe(before);
    engine.metrics = reading({ ...emptyEngineReading, running: 7, waiting: 2 });
    await keeper.refreshReading();
    expect(changes()).toBe(before + 1);
    await keeper.close();
  });

  test('asks a ready engine for its health each second, and more seldom while it gives metrics', async () => {
    const { steps, pass, live, keeper } = watch();
    live();
    await pass(10_000);
    const withoutMetrics = steps.filter((step) => step === 'check_health').length;
    for (let second = 0; second < 10; second += 1) {
      await keeper.refreshReading();
      await pass(1_000);
    }
    const withMetrics = steps.filter((step) => step === 'check_health').length - withoutMetrics;
    expect(withoutMetrics).toBeGreaterThanOrEqual(8);
    expect(withMetrics).toBeGreaterThanOrEqual(1);
    expect(withMetrics).toBeLessThanOrEqual(3);
    await keeper.close();
  });

  test('looks at once when the metrics fail, and does not call one failure an issue', async () => {
    const { engine, pass, live, keeper } = watch();
    live();
    await pass(1_000);
    engine.metrics = noMetrics;
    await keeper.refreshReading();
    expect(keeper.issues()).toEqual([]);
    engine.answer = {};
    await keeper.refreshReading();
    await settle();
    expect(keeper.status().phase).toBe('starting');
    await keeper.close();
  });

  test('says so when a ready engine gives no metrics time after time', async () => {
    const { engine, pass, live, keeper } = watch();
    live();
    await pass(1_000);
    engine.metrics = noMetrics;
    for (let read = 0; read < 3; read += 1) {
      await keeper.refreshReading();
      await settle();
    }
    expect(keeper.issues()).toMatchObject([{ code: 'engine_unreachable', detail: 'no metrics' }]);
    engine.metrics = reading(emptyEngineReading);
    await keeper.refreshReading();
    expect(keeper.issues()).toEqual([]);
    await keeper.close();
  });

  test('raises the issue after a while and takes it back when the engine answers', async () => {
    const { pass, live, keeper } = watch();
    await pass(61_000);
    expect(keeper.issues()).toMatchObject([{ code: 'engine_unreachable' }]);
    live();
    await pass(6_000);
    expect(keeper.issues()).toEqual([]);
    await keeper.close();
  });

  test('leaves no timer and no connection behind', async () => {
    const { clock, keeper, closed, pass, steps } = watch();
    await pass(1_000);
    await keeper.close();
    expect(clock.pendingTimers).toBe(0);
    expect(closed()).toBe(2);
    const looks = steps.length;
    clock.advance(60_000);
    await settle();
    expect(steps).toHaveLength(looks);
  });
});
