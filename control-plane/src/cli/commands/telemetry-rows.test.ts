import { describe, expect, it } from 'vitest';
import { telemetryRows } from './telemetry-rows.js';

const value = (avg: number) => ({ avg, min: avg, max: avg, last: avg });
const quiet = { samples: 0, backfilled: false, host: null, gpus: {}, replicas: {} };
const card = (watts: number, ...throttleReasons: string[]) => ({
  values: { powerWatts: value(watts) },
  throttleReasons,
});
const answer = {
  ...{ host: 'armitage', fromMs: 0, toMs: 120_000, stepMs: 60_000, resolution: '1m' as const },
  ...{ notes: [], stretches: [] },
};

describe('the table of a host’s telemetry', () => {
  it('has a row for each point, also where nothing was', () => {
    const points = [
      {
        ...{ atMs: 0, state: 'reporting' as const, samples: 30, backfilled: true },
        host: {
          cpuRatio: value(0.254),
          memoryUsedBytes: value(2 ** 33),
          networkSentBytesPerSecond: value(2 ** 20),
        },
        gpus: { 'GPU-1': card(148.21, 'idle') },
        replicas: { chat: { running: value(2.04), timeToFirstTokenP95Seconds: value(0.42) } },
      },
      { ...quiet, atMs: 60_000, state: 'asleep' as const },
    ];
    expect(telemetryRows({ ...answer, points })).toEqual({
      heads: [
        ...['TIME (UTC)', 'STATE', 'cpuRatio', 'memoryUsedBytes', 'networkSentBytesPerSecond', 'powerWatts'],
        ...['chat running', 'chat timeToFirstTokenP95Seconds'],
      ],
      rows: [
        [
          ...['1970-01-01 00:00', 'reporting, backfilled', '25 %', '8.0 GiB', '1.0 MiB/s', '148.2'],
          ...['2', '420 ms'],
        ],
        ['1970-01-01 00:01', 'asleep', '-', '-', '-', '-', '-', '-'],
      ],
    });
  });

  it('tells cards apart, and what held them back', () => {
    const gpus = { 'GPU-b': card(1, 'idle'), 'GPU-a': card(2, 'thermal slowdown (hardware)') };
    const points = [{ ...quiet, atMs: 2_000, state: 'reporting' as const, samples: 1, gpus }];
    expect(telemetryRows({ ...answer, stepMs: 2_000, points })).toEqual({
      heads: ['TIME (UTC)', 'STATE', 'card 2 powerWatts', 'card 1 powerWatts', 'THROTTLED'],
      rows: [['1970-01-01 00:00:02', 'reporting', '1', '2', 'thermal slowdown (hardware)']],
    });
  });
});
