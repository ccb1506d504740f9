import {
  DEFAULT_AGENT_POLICY,
  describeReplica,
  type EngineReading,
  emptyEngineReading,
  emptyGpuReading,
  emptyHostReading,
  type GpuInventory,
  type HostPolicy,
  type HostReading,
  type Issue,
  type ReplicaStatus,
  type Report,
  tellPolicy,
} from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { describe, expect, test } from 'vitest';
import type { HostFacts } from '../sensors/host/host-inventory.js';
import { reading, type Sensor, type SensorResult, unavailable } from '../sensors/sensor.js';
import { AgentTime } from './agent-time.js';
import { Reporter } from './reporter.js';

const noGpu: Issue = { code: 'no_gpu', subject: 'host', severity: 'info', detail: 'No card.', fix: null };
const card = (uuid: string): GpuInventory => ({
  uuid,
  index: 0,
  name: 'RTX 2080',
  pciBusId: null,
  vramTotalBytes: 1,
  powerLimitWatts: 1,
  driverVersion: '580',
  cudaVersion: '13.0',
  migEnabled: null,
});
const facts: HostFacts = {
  os: 'linux',
  osName: 'Debian',
  kernel: '6.1',
  architecture: 'x64',
  cpuModel: 'Ryzen',
  cpuThreads: 16,
  memoryTotalBytes: 1,
  bootId: 'boot',
  bootedAtMs: 1,
  interfaces: [],
};

class FakeSensor<Reading> implements Sensor<Reading> {
  result: SensorResult<Reading> | 'hangs';
  reads = 0;

  constructor(result: SensorResult<Reading>) {
    this.result = result;
  }

  read(signal: AbortSignal): Promise<SensorResult<Reading>> {
    this.reads += 1;
    if (this.result !== 'hangs') return Promise.resolve(this.result);
    return new Promise((resolve) => {
      signal.addEventListener('abort', () => resolve(unavailable(noGpu)));
    });
  }
}

const settle = () => new Promise<void>((resolve) => setImmediate(resolve));

function startReporter({
  bufferBytes = 1_000_000,
  cards = unavailable(noGpu) as SensorResult<readonly GpuInventory[]>,
  policy = null as HostPolicy | null,
} = {}) {
  const clock = new ManualClock();
  const sent: Report[] = [];
  const looks = { count: 0 };
  const sensors = {
    host: new FakeSensor<HostReading>(reading({ ...emptyHostReading, cpuRatio: 0.1 })),
    gpus: new FakeSensor<Record<string, typeof emptyGpuReading>>(unavailable(noGpu)),
    gpuInventory: new FakeSensor<readonly GpuInventory[]>(cards),
    hostInventory: new FakeSensor<HostFacts>(reading(facts)),
  };
  const replicas = {
    count: 0,
    all: [] as ReplicaStatus[],
    open: [] as Issue[],
    engine: {} as Record<string, EngineReading>,
    statuses: () => replicas.all,
    orphans: () => [],
    issues: () => replicas.open,
    readings: () => replicas.engine,
    refreshReadings: () => Promise.resolve(),
  };
  const reporter = new Reporter({
    sensors,
    replicas,
    policy,
    lookForEngine: () => {
      looks.count += 1;
    },
    send: (report) => {
      sent.push(structuredClone(report));
      return 'sent';
    },
    time: new AgentTime(clock, () => clock.monotonicMs()),
    clock,
    log: pino({ level: 'silent' }),
    gpuCadenceMs: 2_000,
    hostCadenceMs: 2_000,
    engineCadenceMs: 1_000,
    bufferBytes,
  });
  const pass = async (ms: number): Promise<void> => {
    await settle();
    for (let passed = 0; passed < ms; passed += 500) {
      clock.advance(500);
      await settle();
    }
  };
  reporter.start();
  return { clock, sent, looks, sensors, replicas, reporter, pass };
}

const telemetry = (sent: Report[]) => sent.flatMap((report) => report.telemetry ?? []);
const last = <Part extends keyof Report>(sent: Report[], part: Part): Report[Part] =>
  sent.findLast((report) => report[part] !== undefined)?.[part] as Report[Part];

describe('the fast lane', () => {
  test('a sample each two seconds, and each second while an engine has requests, and a while after', async () => {
    const { sent, reporter, pass, replicas } = startReporter();
    reporter.linked();
    await pass(6_000);
    expect(telemetry(sent)).toHaveLength(4);
    replicas.count = 1;
    replicas.engine = { chat: emptyEngineReading };
    await pass(6_000);
    expect(telemetry(sent)).toHaveLength(7);
    replicas.engine = { chat: { ...emptyEngineReading, running: 0, waiting: 1 } };
    await pass(6_000);
    expect(telemetry(sent)).toHaveLength(12);
    replicas.engine = { chat: { ...emptyEngineReading, running: 0, waiting: 0 } };
    await pass(30_000);
    // Ten seconds more of one each second.
    expect(telemetry(sent)).toHaveLength(12 + 10 + 10);
    await reporter.close();
  });

  test('a replica whose phase changed is read often for a while', async () => {
    const { sent, reporter, pass, replicas } = startReporter();
    reporter.linked();
    replicas.count = 1;
    await pass(4_000);
    const before = telemetry(sent).length;
    reporter.replicasChanged();
    await pass(8_000);
    // The change's own sample, and the others.
    expect(telemetry(sent).length - before).toBe(1 + 7);
    await reporter.close();
  });

  test('a host is read at its own cadence, whatever the engines’', async () => {
    const { reporter, pass, replicas, sensors } = startReporter();
    replicas.count = 1;
    await pass(10_000);
    expect(sensors.host.reads).toBe(6);
    await reporter.close();
  });

  test('a change of a replica is told at once, with a sample', async () => {
    const { clock, sent, reporter, pass, replicas } = startReporter();
    reporter.linked();
    await pass(500);
    const before = sent.length;
    replicas.all = [describeReplica({ deployment: 'a', phase: 'ready' })];
    replicas.engine = { a: { ...emptyEngineReading, waiting: 3 } };
    reporter.replicasChanged();
    reporter.replicasChanged();
    clock.advance(0);
    expect(sent.slice(before)).toMatchObject([
      { replicas: replicas.all, telemetry: [{ replicas: { a: { waiting: 3 } } }] },
    ]);
    await reporter.close();
  });

  test('a host that hangs leaves its values out after three cadences, and the rest goes on', async () => {
    const { sent, reporter, pass, sensors } = startReporter();
    reporter.linked();
    await pass(1_000);
    sensors.host.result = 'hangs';
    await pass(5_000);
    expect(telemetry(sent).length).toBeGreaterThanOrEqual(2);
    expect(
      telemetry(sent)
        .slice(1)
        .every(({ host }) => host?.cpuRatio === undefined),
    ).toBe(true);
    await pass(5_000);
    expect(telemetry(sent).some(({ host }) => host?.cpuRatio === null)).toBe(true);
    await reporter.close();
  });

  test('a host’s reading that comes late is taken then', async () => {
    const { sent, reporter, pass, sensors } = startReporter();
    reporter.linked();
    await pass(1_000);
    let answer: (result: SensorResult<HostReading>) => void = () => undefined;
    sensors.host.read = (signal) =>
      new Promise((resolve) => {
        answer = resolve;
        signal.addEventListener('abort', () => resolve(unavailable(noGpu)));
      });
    await pass(3_000);
    answer(reading({ ...emptyHostReading, cpuRatio: 0.9 }));
    await pass(5_000);
    const told = telemetry(sent).flatMap(({ host }) => (host?.cpuRatio === undefined ? [] : [host.cpuRatio]));
    expect(told).toEqual([0.1, 0.9]);
    await reporter.close();
  });

  test('a wall clock that goes back does not make a sample older than the one before', async () => {
    const { clock, sent, reporter, pass } = startReporter();
    reporter.linked();
    await pass(2_000);
    clock.jumpWallClock(-3_600_000);
    await pass(4_000);
    const times = telemetry(sent).map(({ atMs }) => atMs);
    expect(times).toEqual([...times].sort((a, b) => a - b));
    expect((times.at(-1) ?? 0) - (times[0] ?? 0)).toBe(6_000);
    await reporter.close();
  });
});

describe('the slow lane', () => {
  test('the inventory is told when it is known, and every five minutes', async () => {
    const { sent, reporter, pass, sensors } = startReporter();
    reporter.linked();
    await pass(1_000);
    expect(last(sent, 'inventory')).toEqual({ ...facts, gpus: [] });
    const before = sensors.hostInventory.reads;
    await pass(300_000);
    expect(sensors.hostInventory.reads).toBe(before + 1);
    await reporter.close();
  });

  test('a host without a card says so, calmly, and its cards are not looked for every five minutes', async () => {
    const { sent, reporter, pass, sensors } = startReporter();
    reporter.linked();
    await pass(600_000);
    expect(last(sent, 'issues')).toEqual([noGpu]);
    expect(sensors.gpuInventory.reads).toBe(1);
    expect(sent.filter(({ issues }) => issues !== undefined).length).toBeLessThanOrEqual(2);
    await reporter.close();
  });

  test('the inventory tells what the owner of the host allows', async () => {
    const policy = tellPolicy(DEFAULT_AGENT_POLICY);
    const { sent, reporter, pass } = startReporter({ policy });
    reporter.linked();
    await pass(500);
    expect(last(sent, 'inventory')).toEqual({ ...facts, gpus: [], policy });
    await reporter.close();
  });

  test('tells of the container engine, looks for it with each inventory, and tells at once what changed', async () => {
    const { sent, looks, reporter, pass } = startReporter();
    reporter.linked();
    await pass(1_000);
    expect(looks.count).toBe(1);
    const engine = {
      reachable: true,
      flavour: 'podman',
      version: '4.3.1',
      rootless: true,
      desktop: false,
    } as const;
    reporter.containerEngineSeen(engine);
    expect(last(sent, 'inventory')).toEqual({ ...facts, gpus: [], containerEngine: engine });
    const told = sent.length;
    reporter.containerEngineSeen({ ...engine });
    expect(sent).toHaveLength(told);
    const away = { reachable: false, code: 'engine_unreachable', detail: 'no socket' } as const;
    reporter.containerEngineSeen(away);
    expect(last(sent, 'inventory')).toMatchObject({ containerEngine: away });
    await pass(300_000);
    expect(looks.count).toBe(2);
    await reporter.close();
  });

  test('a card with a reading that the inventory does not know is looked up, and told', async () => {
    const { sent, reporter, pass, sensors } = startReporter();
    reporter.linked();
    await pass(61_000);
    sensors.gpus.result = reading({ 'GPU-1': { ...emptyGpuReading, powerWatts: 20 } });
    sensors.gpuInventory.result = reading([card('GPU-1')]);
    await pass(3_000);
    expect(last(sent, 'inventory')?.gpus).toEqual([card('GPU-1')]);
    expect(last(sent, 'issues')).toEqual([]);
    expect(sensors.gpuInventory.reads).toBe(2);
    await reporter.close();
  });

  test('an inventory of cards that fails is tried again with the next one, and what was known stays', async () => {
    const { sent, reporter, pass, sensors } = startReporter({ cards: reading([card('GPU-1')]) });
    reporter.linked();
    sensors.gpuInventory.result = unavailable({ ...noGpu, code: 'driver_hung', severity: 'error' });
    await pass(3_601_000);
    expect(sensors.gpuInventory.reads).toBe(2);
    expect(last(sent, 'issues')).toMatchObject([{ code: 'driver_hung' }, { code: 'no_gpu' }]);
    expect(last(sent, 'inventory')?.gpus).toEqual([card('GPU-1')]);
    await pass(300_000);
    expect(sensors.gpuInventory.reads).toBe(3);
    await reporter.close();
  });
});

describe('a link that is down', () => {
  test('loses nothing that fits the buffer', async () => {
    const { sent, reporter, pass } = startReporter();
    reporter.linked();
    await pass(10_000);
    reporter.acked(sent.at(-1)?.seq ?? 0);
    reporter.down();
    const before = sent.length;
    await pass(120_000);
    expect(sent).toHaveLength(before);
    expect(reporter.status().waitingSamples).toBe(60);
    reporter.linked();
    const caughtUp = sent.slice(before);
    expect(telemetry(caughtUp)).toHaveLength(60);
    expect(caughtUp[0]?.backfill).toBeUndefined();
    expect(caughtUp.slice(1).every(({ backfill }) => backfill === true)).toBe(true);
    await reporter.close();
  });

  test('drops are an issue that clears ten minutes after the last one', async () => {
    const { sent, reporter, pass } = startReporter({ bufferBytes: 10_000 });
    await pass(120_000);
    reporter.linked();
    const { droppedSamples } = reporter.status();
    expect(droppedSamples).toBeGreaterThan(0);
    expect(last(sent, 'droppedSamples')).toBe(droppedSamples);
    expect(last(sent, 'issues')).toMatchObject([{ code: 'telemetry_dropped' }, { code: 'no_gpu' }]);
    for (let passedMs = 0; passedMs < 600_000; passedMs += 10_000) {
      reporter.acked(sent.at(-1)?.seq ?? 0);
      await pass(10_000);
    }
    expect(reporter.status().droppedSamples).toBe(droppedSamples);
    expect(last(sent, 'issues')).toEqual([noGpu]);
    await reporter.close();
  });
});

test('the end leaves no timer behind', async () => {
  const { clock, reporter, pass } = startReporter();
  await pass(2_000);
  await reporter.close();
  expect(clock.pendingTimers).toBe(0);
});
