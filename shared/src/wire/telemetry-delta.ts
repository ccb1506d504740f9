import type { TelemetryDelta, TelemetrySample } from '../domain/telemetry.js';

/** What must be sent so that the receiver, who holds `before`, holds `after`. With no `before` it is complete. */
export function diffTelemetry(before: TelemetrySample | null, after: TelemetrySample): TelemetryDelta {
  const delta: TelemetryDelta = { atMs: after.atMs };
  const host = diffFields(before?.host, after.host);
  if (host) delta.host = host;
  const gpus = diffRecord(before?.gpus, after.gpus);
  if (gpus) delta.gpus = gpus;
  const replicas = diffRecord(before?.replicas, after.replicas);
  if (replicas) delta.replicas = replicas;
  return delta;
}

/**
 * The sample that the sender had. A field that was never sent is `null`: unknown is never 0. Neither argument is
 * changed; the result shares unchanged parts with `before`.
 */
export function applyTelemetryDelta(before: TelemetrySample | null, delta: TelemetryDelta): TelemetrySample {
  return {
    atMs: delta.atMs,
    host: applyFields(before?.host ?? emptyHostReading, delta.host),
    gpus: applyRecord(before?.gpus, delta.gpus, emptyGpuReading),
    replicas: applyRecord(before?.replicas, delta.replicas, emptyEngineReading),
  };
}

export const emptyHostReading: TelemetrySample['host'] = {
  cpuRatio: null,
  memoryUsedBytes: null,
  memoryTotalBytes: null,
  diskUsedBytes: null,
  diskTotalBytes: null,
  networkReceivedBytesPerSecond: null,
  networkSentBytesPerSecond: null,
};

export const emptyGpuReading: TelemetrySample['gpus'][string] = {
  utilisationRatio: null,
  memoryUtilisationRatio: null,
  vramUsedBytes: null,
  vramTotalBytes: null,
  temperatureCelsius: null,
  memoryTemperatureCelsius: null,
  powerWatts: null,
  powerLimitWatts: null,
  smClockMhz: null,
  memoryClockMhz: null,
  fanRatio: null,
  performanceState: null,
  clocksEventReasonsMask: null,
};

export const emptyEngineReading: TelemetrySample['replicas'][string] = {
  running: null,
  waiting: null,
  kvUsageRatio: null,
  kvCapacityTokens: null,
  promptTokensTotal: null,
  cachedPromptTokensTotal: null,
  generationTokensTotal: null,
  preemptionsTotal: null,
  timeToFirstTokenSecondsSum: null,
  timeToFirstTokenCount: null,
  interTokenSecondsSum: null,
  interTokenCount: null,
  timeToFirstTokenP50Seconds: null,
  timeToFirstTokenP95Seconds: null,
  interTokenP50Seconds: null,
  interTokenP95Seconds: null,
};

function diffFields<Reading extends object>(
  before: Reading | undefined,
  after: Reading,
): Partial<Reading> | undefined {
  if (!before) return { ...after };
  const changed: Partial<Reading> = {};
  let any = false;
  for (const key of Object.keys(after) as (keyof Reading)[]) {
    if (before[key] === after[key]) continue;
    changed[key] = after[key];
    any = true;
  }
  return any ? changed : undefined;
}

function diffRecord<Reading extends object>(
  before: Record<string, Reading> | undefined,
  after: Record<string, Reading>,
): Record<string, Partial<Reading> | null> | undefined {
  const changed: Record<string, Partial<Reading> | null> = {};
  let any = false;
  for (const key of Object.keys(after)) {
    const fields = diffFields(own(before, key), after[key] as Reading);
    if (!fields) continue;
    changed[key] = fields;
    any = true;
  }
  for (const key of Object.keys(before ?? {})) {
    if (Object.hasOwn(after, key)) continue;
    changed[key] = null;
    any = true;
  }
  return any ? changed : undefined;
}

type Fields<Reading> = { [Field in keyof Reading]?: Reading[Field] | undefined };

/** What no difference names is shared with `before`, not copied: this runs once per report of every host. */
function applyRecord<Reading extends object>(
  before: Record<string, Reading> | undefined,
  delta: Record<string, Fields<Reading> | null> | undefined,
  empty: Reading,
): Record<string, Reading> {
  if (!delta) return before ?? {};
  const after = { ...before };
  for (const key of Object.keys(delta)) {
    const fields = delta[key];
    if (!fields) delete after[key];
    else after[key] = applyFields(own(before, key) ?? empty, fields);
  }
  return after;
}

function applyFields<Reading extends object>(before: Reading, fields: Fields<Reading> | undefined): Reading {
  if (!fields) return before;
  const after = { ...before };
  for (const key of Object.keys(fields) as (keyof Reading)[]) {
    const value = fields[key];
    // An `undefined` value would overwrite; JSON has none, but a caller's object may.
    if (value !== undefined) after[key] = value as Reading[keyof Reading];
  }
  return after;
}

/** Cards and replicas are named by others: "constructor" is a name, not what every object inherits. */
function own<Value>(record: Record<string, Value> | undefined, key: string): Value | undefined {
  return record && Object.hasOwn(record, key) ? record[key] : undefined;
}
