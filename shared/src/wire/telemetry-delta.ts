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

/** The sample that the sender had. A field that was never sent is `null`: unknown is never 0. */
export function applyTelemetryDelta(before: TelemetrySample | null, delta: TelemetryDelta): TelemetrySample {
  return {
    atMs: delta.atMs,
    host: { ...(before?.host ?? emptyHostReading), ...definedOnly(delta.host ?? {}) },
    gpus: applyRecord(before?.gpus ?? {}, delta.gpus ?? {}, emptyGpuReading),
    replicas: applyRecord(before?.replicas ?? {}, delta.replicas ?? {}, emptyEngineReading),
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
  for (const [key, reading] of Object.entries(after)) {
    const fields = diffFields(before?.[key], reading);
    if (fields) changed[key] = fields;
  }
  for (const key of Object.keys(before ?? {})) {
    if (!(key in after)) changed[key] = null;
  }
  return Object.keys(changed).length > 0 ? changed : undefined;
}

function applyRecord<Reading extends object>(
  before: Record<string, Reading>,
  delta: Record<string, { [Field in keyof Reading]?: Reading[Field] | undefined } | null>,
  empty: Reading,
): Record<string, Reading> {
  const after = { ...before };
  for (const [key, fields] of Object.entries(delta)) {
    if (fields === null) delete after[key];
    else after[key] = { ...(after[key] ?? empty), ...definedOnly(fields) };
  }
  return after;
}

/** An `undefined` value would overwrite; JSON has none, but a caller's object may. */
function definedOnly<Reading extends object>(
  fields: Reading,
): { [Field in keyof Reading]: Exclude<Reading[Field], undefined> } {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined)) as {
    [Field in keyof Reading]: Exclude<Reading[Field], undefined>;
  };
}
