import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { PowerObservation, WakeRecord } from './power-types.js';
import type { Registry } from './registry-types.js';
import { requestRow } from './testing/request-rows.js';
import { enrolled, TemporaryRegistry } from './testing/temporary-registry.js';

const HOUR_MS = 3_600_000;
const DAY_MS = 24 * HOUR_MS;
const NOON_MS = 20_000 * DAY_MS + 12 * HOUR_MS;
const QUERY = { fromMs: NOON_MS - DAY_MS, toMs: NOON_MS + DAY_MS, mostWakes: 10, mostEvents: 10 };

let place: TemporaryRegistry;
let registry: Registry;
let hostId: string;

beforeEach(() => {
  place = new TemporaryRegistry();
  registry = place.open();
  hostId = enrolled(registry).hostId;
});
afterEach(() => place.remove());

async function written(...observations: readonly PowerObservation[]): Promise<void> {
  for (const observation of observations) registry.power.save(observation);
  await place.untilInTime(
    () => registry.observations.queuedCount === 0 && registry.requestLog.queuedCount === 0,
    5,
  );
}

const use = (dayMs: number, cardJoules: number): PowerObservation => ({
  ...{ kind: 'powerUse', hostId, atMs: dayMs, dayMs, awakeSeconds: 60, asleepSeconds: 30, cardJoules },
});
const wake = (more: Partial<WakeRecord> = {}): PowerObservation => ({
  ...{ kind: 'wake', hostId, atMs: NOON_MS },
  wake: {
    ...{ wakeId: 'wake-1', askedAtMs: NOON_MS, askedBy: 'request', keyId: 'k', role: 'chat', waiters: 1 },
    ...{ deployment: 'qwen', fromState: 'suspend', outcome: 'ready', failedPhase: null, detail: null },
    ...{ phases: { model_ready: 40_000 }, endedAtMs: NOON_MS + 40_000 },
    ...more,
  },
});
const event = (atMs: number, state: string): PowerObservation => ({
  ...{ kind: 'powerEvent', hostId, atMs, state, cause: 'idle', detail: null },
});
const read = () => registry.reader.query('power', QUERY);

describe('what is kept of hosts’ power', () => {
  it('is added up by day, and the days of a query by host', async () => {
    const today = 20_000 * DAY_MS;
    await written(use(today, 5), use(today, 7), use(today - DAY_MS, 1), use(today - 9 * DAY_MS, 100));
    expect((await read()).use).toMatchObject([{ awakeSeconds: 180, asleepSeconds: 90, cardJoules: 13 }]);
  });

  it('tells of a wake until when the host stayed, and what it answered meanwhile', async () => {
    const [host] = registry.hosts.list();
    const served = { host: host?.name ?? '', promptTokens: 100, completionTokens: 10 };
    const endedAtMs = (minutes: number) => ({ ...served, endedAtMs: NOON_MS + minutes * 60_000 });
    for (const [index, minutes] of [-5, 1, 20, 50].entries()) {
      registry.requestLog.append(requestRow({ requestId: `req-${index}`, ...endedAtMs(minutes) }));
    }
    registry.requestLog.append(requestRow({ requestId: 'other', ...endedAtMs(2), host: 'elsewhere' }));
    const sleptMs = NOON_MS + 30 * 60_000;
    await written(
      wake(),
      event(NOON_MS - 1, 'asleep'),
      event(sleptMs, 'asleep'),
      event(sleptMs + 1, 'waking'),
    );
    const { wakes, events } = await read();
    expect(wakes).toMatchObject([
      {
        ...{ wake: { wakeId: 'wake-1', host: host?.name }, awakeUntilMs: sleptMs },
        requests: { count: 2, promptTokens: 200, completionTokens: 20 },
      },
    ]);
    expect(events.map(({ state }) => state)).toEqual(['waking', 'asleep', 'asleep']);
  });

  it('knows of no end where the host is awake still, and of no requests where none were', async () => {
    await written(wake());
    expect((await read()).wakes).toMatchObject([{ awakeUntilMs: null, requests: { count: 0 } }]);
  });
});
