import {
  emptyEngineReading,
  emptyGpuReading,
  emptyHostReading,
  type TelemetrySample,
} from '@ai-fabric/shared';
import type { z } from '@hono/zod-openapi';
import { pino } from 'pino';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { hostTelemetrySchema } from '../api/telemetry-schemas.js';
import { LiveState } from '../live/live-state.js';
import { declaredOf } from '../live/testing/live-fixtures.js';
import type { Registry } from '../registry/registry-types.js';
import { enrolled, TemporaryRegistry } from '../registry/testing/temporary-registry.js';
import { encodeAnswer } from './decide/encode-answer.js';
import { selectFields } from './decide/select-fields.js';
import { TelemetryHistory } from './telemetry-history.js';

type Answer = z.infer<typeof hostTelemetrySchema>;

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let place: TemporaryRegistry;
let registry: Registry;
let live: LiveState;
let history: TelemetryHistory;
let runs = 0;

beforeEach(() => {
  place = new TemporaryRegistry();
  registry = place.open();
  const { hostId } = enrolled(registry);
  start(hostId);
});
afterEach(() => place.remove());

function start(hostId: string): void {
  const { clock } = place;
  live = new LiveState({ clock, log: pino({ level: 'silent' }) });
  live.seed([], declaredOf({ armitage: ['chat'] }));
  const { observations, reader } = registry;
  runs += 1;
  history = new TelemetryHistory({
    ...{ live, observations, clock, runId: `run-${runs}` },
    read: (question) => reader.query('telemetry', question),
  });
  live.hostLinked({ hostId, name: 'armitage', agentVersion: '0', peerAddress: '', draining: false });
}

async function restart(): Promise<void> {
  history.close();
  await place.close();
  registry = place.open();
  start(registry.hosts.findByName('armitage')?.hostId ?? '');
}

function sample(atMs: number, watts: number, more: Partial<TelemetrySample> = {}): TelemetrySample {
  return {
    atMs,
    host: { ...emptyHostReading, cpuRatio: 0.5 },
    gpus: { 'GPU-1': { ...emptyGpuReading, powerWatts: watts, clocksEventReasonsMask: 4 } },
    replicas: {},
    ...more,
  };
}

function report(samples: readonly TelemetrySample[], backfilled = false): void {
  live.takeReport('armitage', {
    clockSkewMs: 0,
    samples: samples.map((each) => ({ sample: each, backfilled })),
  });
}

function settled(): Promise<void> {
  return place.untilInTime(() => registry.observations.queuedCount === 0, 5);
}

async function ask(fromMs: number, toMs: number, stepMs: number | null = null, fields = ''): Promise<Answer> {
  const selected = selectFields(fields);
  if (!selected.ok) throw new Error(selected.detail);
  const result = await history.query('armitage', { fromMs, toMs, stepMs }, selected.selection);
  if (!result.ok) throw new Error(result.detail);
  return hostTelemetrySchema.parse(JSON.parse(Buffer.from(encodeAnswer(result.answer)).toString()));
}

function watts(answer: Answer) {
  return answer.points.map((point) => point.gpus['GPU-1']?.values['powerWatts'] ?? null);
}

describe('the telemetry of a host', () => {
  it('of the last minutes is made from the samples themselves, gaps stay gaps', async () => {
    const nowMs = place.clock.nowMs();
    report([sample(nowMs + 1_000, 100), sample(nowMs + 2_000, 200), sample(nowMs + 6_000, 50)]);
    place.clock.advance(6_500);
    const answer = await ask(nowMs, nowMs + 6_500, 2_000, 'gpu.powerWatts');
    expect(answer.resolution).toBe('samples');
    expect(watts(answer)).toEqual([
      { avg: 100, min: 100, max: 100, last: 100 },
      { avg: 200, min: 200, max: 200, last: 200 },
      null,
      { avg: 50, min: 50, max: 50, last: 50 },
    ]);
    expect(answer.points.map(({ state }) => state)).toEqual([
      'reporting',
      'reporting',
      'silent',
      'reporting',
    ]);
    expect(answer.points[0]?.gpus['GPU-1']?.throttleReasons).toEqual(['power cap (software)']);
  });

  it('counts an open minute, a waiting one and a written one once each', async () => {
    const startMs = Math.ceil(place.clock.nowMs() / HOUR_MS) * HOUR_MS;
    place.clock.advance(startMs + 3 * MINUTE_MS + 30_000 - place.clock.nowMs());
    const minute = (index: number) => sample(startMs + index * MINUTE_MS + 10_000, 100 * (index + 1));
    report([minute(0), minute(1)]);
    await settled();
    report([minute(2), minute(3)]);
    for (const wait of [async () => undefined, settled]) {
      await wait();
      const answer = await ask(startMs, startMs + 3 * MINUTE_MS, MINUTE_MS, 'powerWatts');
      expect(answer.resolution).toBe('1m');
      expect(watts(answer).map((value) => value?.avg)).toEqual([100, 200, 300, 400]);
      expect(answer.points.map(({ samples }) => samples)).toEqual([1, 1, 1, 1]);
    }
  });

  it('in seconds, of before a restart, is not called silent where the minute has values', async () => {
    const startMs = Math.ceil(place.clock.nowMs() / HOUR_MS) * HOUR_MS;
    place.clock.advance(startMs + 30_000 - place.clock.nowMs());
    report([sample(startMs + 10_000, 100), sample(startMs + 29_000, 100)]);
    place.clock.advance(2 * MINUTE_MS);
    await settled();
    await restart();
    const restartedMs = place.clock.nowMs();
    report([sample(restartedMs + 1_000, 300)]);
    place.clock.advance(10_000);

    const answer = await ask(startMs, restartedMs + 10_000, 5_000, 'powerWatts');

    expect(answer.resolution).toBe('samples');
    expect(answer.notes[0]).toContain('ask for a step of a minute');
    const states = answer.points.map(({ state }) => state);
    expect(states.slice(0, 12)).toEqual(Array(12).fill('reporting'));
    expect(states.slice(12, 24)).toEqual(Array(12).fill('silent'));
    const restartAt = Math.floor((restartedMs - startMs) / 5_000);
    expect(states.slice(24, restartAt)).toEqual(Array(restartAt - 24).fill('silent'));
    expect(states.filter((state) => state === 'reporting')).toHaveLength(13);
    expect(answer.points[0]).toMatchObject({ samples: 0, host: null, gpus: {} });
  });

  it('is there again after a restart, the open minute included, and goes on in the same minute', async () => {
    const startMs = Math.ceil(place.clock.nowMs() / HOUR_MS) * HOUR_MS;
    place.clock.advance(startMs + 30_000 - place.clock.nowMs());
    report([sample(startMs + 10_000, 100)]);
    await restart();
    report([sample(startMs + 25_000, 300)]);
    place.clock.advance(2 * MINUTE_MS);
    await settled();
    const [point] = (await ask(startMs, startMs + MINUTE_MS, MINUTE_MS, 'powerWatts')).points;
    expect(point?.samples).toBe(2);
    expect(point?.gpus['GPU-1']?.values['powerWatts']).toEqual({ avg: 200, min: 100, max: 300, last: 300 });
  });

  it('that was backfilled stands where it was taken, in every resolution, and is marked', async () => {
    place.clock.advance(20 * DAY_MS);
    const nowMs = place.clock.nowMs();
    const takenMs = Math.floor((nowMs - 3 * DAY_MS) / (2 * HOUR_MS)) * 2 * HOUR_MS;
    report([sample(nowMs, 10)]);
    report([sample(takenMs + 5_000, 100), sample(takenMs + 11 * MINUTE_MS, 300)], true);
    place.clock.advance(10_000);
    await settled();
    const fine = await ask(takenMs, takenMs + 20 * MINUTE_MS, MINUTE_MS, 'powerWatts');
    expect(fine.resolution).toBe('10m');
    expect(fine.notes[0]).toContain('steps of 10m');
    expect(watts(fine).map((value) => value?.avg)).toEqual([100, 300, undefined]);
    expect(fine.points.map(({ backfilled }) => backfilled)).toEqual([true, true, false]);
    const coarse = await ask(takenMs - 15 * DAY_MS, nowMs, null, 'powerWatts');
    expect(coarse.resolution).toBe('2h');
    const [stretch] = coarse.stretches;
    expect(stretch).toMatchObject({ kind: 'backfilled', fromMs: takenMs });
    const total = coarse.points.reduce((sum, { samples }) => sum + samples, 0);
    expect(total).toBe(3);
  });

  it('says when the host was asleep and when it was away', async () => {
    const { hostId } = registry.hosts.findByName('armitage') ?? { hostId: '' };
    const startMs = Math.ceil(place.clock.nowMs() / HOUR_MS) * HOUR_MS;
    place.clock.advance(startMs + 10 * MINUTE_MS - place.clock.nowMs());
    const event = (
      minutes: number,
      kind: 'linked' | 'away' | 'goodbye',
      detail: string | null = null,
    ): void => {
      const atMs = startMs + minutes * MINUTE_MS;
      registry.observations.enqueue({ kind: 'hostEvent', hostId, atMs, event: kind, detail });
    };
    event(-60, 'linked');
    event(1, 'goodbye', 'suspend');
    event(2, 'away');
    event(4, 'linked');
    event(6.5, 'away');
    report([sample(startMs + 30_000, 1), sample(startMs + 5 * MINUTE_MS, 1)]);
    await settled();
    const answer = await ask(startMs, startMs + 8 * MINUTE_MS - 1, MINUTE_MS);
    expect(answer.points.map(({ state }) => state)).toEqual([
      ...['reporting', 'asleep', 'asleep', 'asleep', 'silent', 'reporting', 'away', 'away'],
    ]);
    expect(answer.stretches).toEqual([
      {
        kind: 'asleep',
        fromMs: startMs + MINUTE_MS,
        toMs: startMs + 4 * MINUTE_MS,
        reason: 'suspend',
      },
      { kind: 'away', fromMs: startMs + 6 * MINUTE_MS, toMs: startMs + 8 * MINUTE_MS - 1, reason: null },
    ]);
  });

  it('has rates of a replica from its counters, also when the engine began anew', async () => {
    const nowMs = place.clock.nowMs();
    const at = (seconds: number, tokens: number, ttftSum: number, ttftCount: number): TelemetrySample =>
      sample(nowMs + seconds * 1_000, 1, {
        replicas: {
          chat: {
            ...emptyEngineReading,
            running: 1,
            generationTokensTotal: tokens,
            timeToFirstTokenSecondsSum: ttftSum,
            timeToFirstTokenCount: ttftCount,
          },
        },
      });
    report([at(0, 1_000, 10, 5), at(2, 1_100, 11, 7), at(4, 60, 0, 0)]);
    place.clock.advance(5_000);
    const { points } = await ask(nowMs, nowMs + 4_500, 2_000, 'replica');
    const values = points.map(({ replicas }) => replicas['chat'] ?? {});
    const of = (field: string) => values.map((value) => value[field]?.avg ?? null);
    expect(of('generationTokensPerSecond')).toEqual([null, 50, 30]);
    expect(of('timeToFirstTokenSeconds')).toEqual([null, 0.5, null]);
    expect(of('running')).toEqual([1, 1, 1]);
  });
});
