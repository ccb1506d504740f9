import { type Clock, type Issue, systemClock, type Timer } from '@ai-fabric/shared';
import { ManualClock } from '@ai-fabric/shared/testing';
import { pino } from 'pino';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { type ClosableSensor, issuesOf } from '../sensor.js';
import { noGpu, type ToolEnd } from './decide/classify-tool-failure.js';
import type { ToolSearch } from './find-nvidia-smi.js';
import { type GpuReadings, type GpuStreamOptions, openGpuStream } from './gpu-stream.js';
import { stuckProcesses } from './stuck-processes.js';
import { type FakeBehaviour, type FakeNvidiaSmi, fakeNvidiaSmi } from './testing/fake-nvidia-smi.js';
import { isRunning } from './testing/is-running.js';
import { type ToolListener, toolStarter } from './tool-process.js';

/** A second, as `vi.waitFor` has it, is nothing on a machine that has other work. */
const soon = <Result>(check: () => Result | Promise<Result>): Promise<Result> =>
  vi.waitFor(check, { timeout: 30_000, interval: 10 });

const A = 'GPU-aaaaaaaa-0000';
const B = 'GPU-bbbbbbbb-0000';
const BUS_A = '00000000:01:00.0';
const BUS_B = '00000000:02:00.0';
const FOUND: ToolSearch = { found: true, tool: { command: '/opt/nvidia-smi', leadingArgs: [] } };
const NEVER = new AbortController().signal;
const closers: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

interface FakeRun {
  readonly args: readonly string[];
  readonly listener: ToolListener;
  killed: boolean;
  abandoned: boolean;
}

/** A stream on a clock that stands still, with children that the test plays. */
function playedStream(over: Partial<GpuStreamOptions> = {}) {
  const clock = new ManualClock();
  const runs: FakeRun[] = [];
  const lines: string[] = [];
  const logger = pino({ base: null, timestamp: false }, { write: (line: string) => void lines.push(line) });
  const stream = openGpuStream({
    periodMs: 2_000,
    findTool: () => Promise.resolve(FOUND),
    startTool: (_tool, args, listener) => {
      const run: FakeRun = { args, listener, killed: false, abandoned: false };
      runs.push(run);
      return {
        kill: () => {
          run.killed = true;
        },
        abandon: () => {
          run.abandoned = true;
        },
      };
    },
    listBusIds: () => Promise.resolve([]),
    stuck: stuckProcesses(),
    clock,
    random: () => 0.5,
    logger,
    ...over,
  });
  const started = async (count: number): Promise<FakeRun> => {
    await soon(() => expect(runs).toHaveLength(count));
    return runs[count - 1] as FakeRun;
  };
  return { clock, runs, stream, started, lines };
}

const row = (uuid: string, index: number, bus: string): string =>
  `${uuid}, ${index}, ${bus}, 40, N/A, 7, 3, 8192, 700, 38.9, 250, 300, 405, 37, P8, 0x0000000000000001\n`;
const END: ToolEnd = { exitCode: null, signal: 'SIGKILL', output: '', startError: null };

async function codes(stream: ClosableSensor<GpuReadings>): Promise<string[]> {
  return issuesOf(await stream.read(NEVER)).map(({ code }: Issue) => code);
}

async function cards(stream: ClosableSensor<GpuReadings>): Promise<string[]> {
  const result = await stream.read(NEVER);
  return result.ok ? Object.keys(result.reading) : [];
}

describe('the stream of readings', () => {
  it('is empty and without complaint until the first row', async () => {
    const { stream, started } = playedStream();
    await started(1);
    expect(await stream.read(NEVER)).toEqual({ ok: true, reading: {}, issues: [] });
  });

  it('asks once for all cards at its cadence', async () => {
    const { started } = playedStream();
    const { args } = await started(1);
    expect(args[0]).toMatch(/^--query-gpu=uuid,index,pci\.bus_id,/);
    expect(args.slice(1)).toEqual(['--format=csv,noheader,nounits', '-l', '2']);
  });

  it('takes a cadence of parts of a second', async () => {
    const { started } = playedStream({ periodMs: 250 });
    expect((await started(1)).args.slice(-2)).toEqual(['-lms', '250']);
  });

  it('holds the last reading of each card while it is fresh', async () => {
    const { stream, started, clock } = playedStream();
    const { listener } = await started(1);
    listener.onText(row(A, 0, BUS_A).slice(0, 30));
    listener.onText(row(A, 0, BUS_A).slice(30) + row(B, 1, BUS_B));
    const result = await stream.read(NEVER);
    expect(result).toMatchObject({
      ok: true,
      reading: { [A]: { utilisationRatio: 0.07, powerWatts: 38.9 }, [B]: {} },
    });
    clock.advance(6_001);
    expect(await stream.read(NEVER)).toEqual({ ok: true, reading: {}, issues: [] });
  });

  it('reports a lost card beside the readings of the others', async () => {
    const { stream, started } = playedStream();
    const { listener } = await started(1);
    listener.onText(row(A, 0, BUS_A) + row(B, 1, BUS_B));
    listener.onText(
      row(A, 0, BUS_A) +
        row(B, 1, BUS_B).replaceAll(/(?<=00\.0, ).*/g, Array(13).fill('[GPU is lost]').join(', ')),
    );
    expect(await cards(stream)).toEqual([A]);
    expect(issuesOf(await stream.read(NEVER))).toMatchObject([{ code: 'gpu_lost', subject: B }]);
  });

  it('does not take the half row of a killed tool for a reading', async () => {
    const { stream, started } = playedStream();
    const { listener } = await started(1);
    listener.onText(row(A, 0, BUS_A).trimEnd());
    listener.onEnd({ ...END, exitCode: 1, signal: null });
    expect(await cards(stream)).toEqual([]);
  });
});

describe('a host without a card', () => {
  it('says so once, calmly, and looks again later', async () => {
    let searches = 0;
    const findTool = (): Promise<ToolSearch> => {
      searches += 1;
      return Promise.resolve({ found: false, issue: noGpu('No nvidia-smi is installed.') });
    };
    const { stream, clock, lines, runs } = playedStream({ findTool });
    await soon(async () => expect(await codes(stream)).toEqual(['no_gpu']));
    for (let look = 2; look <= 4; look += 1) {
      clock.advance(600_000);
      await soon(() => expect(searches).toBe(look));
    }
    expect(lines).toHaveLength(1);
    expect(JSON.parse(lines[0] ?? '')).toMatchObject({ level: 30, code: 'no_gpu' });
    expect(runs).toHaveLength(0);
  });
});

describe('a hung driver', () => {
  it('is called so when no line comes, and its tool is killed and started again', async () => {
    const { stream, started, clock, runs } = playedStream();
    const first = await started(1);
    first.listener.onText(row(A, 0, BUS_A));
    clock.advance(14_999);
    expect(first.killed).toBe(false);
    clock.advance(1);
    expect(first.killed).toBe(true);
    expect(await codes(stream)).toEqual(['driver_hung']);
    first.listener.onEnd(END);
    await soon(() => {
      clock.advance(1_000);
      expect(runs).toHaveLength(2);
    });
    runs[1]?.listener.onText(row(A, 0, BUS_A));
    expect(await codes(stream)).toEqual([]);
  });

  it('gives a cold driver a minute for its first line', async () => {
    const { started, clock } = playedStream();
    const run = await started(1);
    clock.advance(59_999);
    expect(run.killed).toBe(false);
    clock.advance(1);
    expect(run.killed).toBe(true);
  });

  it('whose tool cannot be killed is left alone: no second one is started beside it', async () => {
    const stuck = stuckProcesses();
    const { stream, started, clock, runs } = playedStream({ stuck });
    const first = await started(1);
    clock.advance(60_000 + 5_000);
    expect(first).toMatchObject({ killed: true, abandoned: true });
    expect(stuck.any()).toBe(true);
    clock.advance(86_400_000);
    expect(runs).toHaveLength(1);
    expect(await codes(stream)).toEqual(['driver_hung']);
    first.listener.onEnd(END);
    await soon(() => {
      clock.advance(1_000);
      expect(runs).toHaveLength(2);
    });
    expect(stuck.any()).toBe(false);
  });

  it('known from another process keeps the stream from starting its own', async () => {
    const stuck = stuckProcesses();
    let gone = false;
    stuck.add(() => gone);
    const { stream, clock, runs } = playedStream({ stuck });
    await soon(async () => expect(await codes(stream)).toEqual(['driver_hung']));
    clock.advance(60_000);
    expect(runs).toHaveLength(0);
    gone = true;
    await soon(() => {
      clock.advance(5_000);
      expect(runs).toHaveLength(1);
    });
  });

  it('is not blamed for a machine that slept: the timer came late, not the line', async () => {
    const { clock, wakeAfter } = sleepyClock();
    const { started } = playedStream({ clock });
    const run = await started(1);
    wakeAfter(120_000);
    expect(run.killed).toBe(false);
    wakeAfter(60_000);
    expect(run.killed).toBe(true);
  });
});

/** Fires its one timer whenever the test says, however late that is. */
function sleepyClock(): { clock: Clock; wakeAfter: (ms: number) => void } {
  let nowMs = 0;
  let fire: () => void = () => undefined;
  const after = (_delayMs: number, run: () => void): Timer => {
    fire = run;
    return { cancel: () => undefined };
  };
  const wakeAfter = (ms: number): void => {
    nowMs += ms;
    fire();
  };
  return { clock: { nowMs: () => nowMs, monotonicMs: () => nowMs, after, every: after }, wakeAfter };
}

describe('closing', () => {
  it('kills the child and waits for its end', async () => {
    const { stream, started } = playedStream();
    const run = await started(1);
    const closed = stream.close();
    expect(run.killed).toBe(true);
    run.listener.onEnd(END);
    await closed;
    await stream.close();
  });

  it('does not wait for ever, and starts nothing afterwards', async () => {
    const { stream, started, clock, runs } = playedStream();
    await started(1);
    const closed = stream.close();
    clock.advance(2_000);
    await closed;
    runs[0]?.listener.onEnd(END);
    clock.advance(3_600_000);
    expect(runs).toHaveLength(1);
  });
});

describe('with a real child', () => {
  const CARD_A = { uuid: A, index: '0', 'pci.bus_id': BUS_A, 'utilization.gpu': '7', 'memory.total': '8192' };
  const CARD_B = {
    uuid: B,
    index: '1',
    'pci.bus_id': BUS_B,
    'utilization.gpu': '99',
    'memory.total': '8192',
  };

  async function realStream(
    behaviour: FakeBehaviour,
    over: Partial<GpuStreamOptions> = {},
  ): Promise<{ fake: FakeNvidiaSmi; stream: ClosableSensor<GpuReadings> }> {
    const fake = await fakeNvidiaSmi(behaviour);
    const stream = openGpuStream({
      periodMs: 1_000,
      findTool: () => Promise.resolve({ found: true, tool: fake.tool }),
      startTool: toolStarter(systemClock(), { started: () => undefined, ended: () => undefined }),
      listBusIds: () => Promise.resolve([]),
      stuck: stuckProcesses(),
      clock: systemClock(),
      random: () => 0,
      logger: pino({ level: 'silent' }),
      ...over,
    });
    closers.push(async () => {
      await stream.close();
      await fake.remove();
    });
    return { fake, stream };
  }

  const eventually = (check: () => Promise<void>): Promise<void> =>
    vi.waitFor(check, { timeout: 15_000, interval: 20 });

  it('readings come, and the child is gone after the close', async () => {
    const { fake, stream } = await realStream({ cards: [CARD_A, CARD_B] });
    await eventually(async () => expect((await cards(stream)).sort()).toEqual([A, B]));
    const [pid] = await fake.pids();
    await stream.close();
    expect(isRunning(pid as number)).toBe(false);
  });

  it('fields that the driver does not know are dropped one after the other', async () => {
    const refused = ['clocks_event_reasons.active', 'temperature.memory', 'clocks.sm', 'clocks.current.sm'];
    const { fake, stream } = await realStream({ cards: [CARD_A], refused });
    await eventually(async () => expect(await cards(stream)).toEqual([A]));
    const starts = await fake.starts();
    expect(starts).toHaveLength(refused.length + 1);
    expect(starts.at(-1)).toContain('clocks_throttle_reasons.active');
  });

  it('a card that fails the whole command is left out, and the others go on', async () => {
    const { fake, stream } = await realStream({ cards: [CARD_A, CARD_B] });
    await eventually(async () => expect((await cards(stream)).sort()).toEqual([A, B]));
    await fake.behave({ cards: [CARD_A, CARD_B], lostBusId: BUS_B });
    process.kill((await fake.pids()).at(-1) as number, 'SIGKILL');
    await eventually(async () => {
      expect(issuesOf(await stream.read(NEVER))).toMatchObject([{ code: 'gpu_lost', subject: B }]);
      expect(await cards(stream)).toEqual([A]);
    });
    expect((await fake.starts()).at(-1)).toContain(`-i ${BUS_A}`);
  });

  it('a card that was lost before the agent started is left out by the list of all cards', async () => {
    const listBusIds = (): Promise<string[]> => Promise.resolve(['0000:01:00.0', '0000:02:00.0']);
    const { stream } = await realStream({ cards: [CARD_A, CARD_B], lostBusId: BUS_B }, { listBusIds });
    await eventually(async () => expect(await cards(stream)).toEqual([A]));
    expect(issuesOf(await stream.read(NEVER))).toMatchObject([{ code: 'gpu_lost', subject: '0000:02:00.0' }]);
  });

  it('a tool that ends is started again', async () => {
    const { fake, stream } = await realStream({ cards: [CARD_A], ticks: 1 });
    await eventually(async () => expect((await fake.starts()).length).toBeGreaterThanOrEqual(3));
    expect(await codes(stream)).toSatisfy((found: string[]) =>
      found.every((code) => code === 'gpu_tool_failed'),
    );
  });

  it.each([
    [{ text: 'Failed to initialize NVML: Driver/library version mismatch', exitCode: 18 }, 'driver_mismatch'],
    [
      { text: "NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.", exitCode: 9 },
      'driver_not_loaded',
    ],
    [{ text: 'No devices were found', exitCode: 6 }, 'no_gpu'],
    [{ text: 'what is this', exitCode: 3 }, 'gpu_tool_failed'],
  ])('a failure is named: %j', async (failure, code) => {
    const { stream } = await realStream({ failure });
    await eventually(async () => expect(await codes(stream)).toEqual([code]));
  });

  it('garbage ends the run and is named', async () => {
    const { fake, stream } = await realStream({ garbage: true });
    await eventually(async () => expect(await codes(stream)).toEqual(['gpu_tool_failed']));
    await fake.behave({ cards: [CARD_A] });
    await eventually(async () => expect(await cards(stream)).toEqual([A]));
    expect(await codes(stream)).toEqual([]);
  });

  it('a tool that hangs is killed, and readings come once it works again', async () => {
    const { fake, stream } = await realStream({ hang: true }, { times: { firstRowMs: 1_500 } });
    await eventually(async () => expect(await codes(stream)).toEqual(['driver_hung']));
    await fake.behave({ cards: [CARD_A] });
    await eventually(async () => expect(await cards(stream)).toEqual([A]));
  });

  it.each([
    [{ command: '/does/not/exist/nvidia-smi', leadingArgs: [] }, 'no_gpu'],
    [{ command: process.cwd(), leadingArgs: [] }, 'gpu_tool_failed'],
  ])('a tool that cannot be started is an issue, not a crash: %j', async (tool, code) => {
    const { stream } = await realStream({}, { findTool: () => Promise.resolve({ found: true, tool }) });
    await eventually(async () => expect(await codes(stream)).toEqual([code]));
  });

  it('a search that fails is an issue, not a crash', async () => {
    const { stream } = await realStream({}, { findTool: () => Promise.reject(new Error('disk on fire')) });
    await eventually(async () => expect(await codes(stream)).toEqual(['gpu_tool_failed']));
  });
});
