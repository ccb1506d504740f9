import { gpuReadingSchema } from '../domain/gpu.js';
import { hostReadingSchema } from '../domain/host.js';
import { engineReadingSchema } from '../domain/replica.js';
import type { AgentFrame } from './frames.js';
import { MAX_SAMPLES_PER_REPORT } from './limits.js';

/**
 * A report of telemetry alone, of fields that are known and all numbers or `null`: what nearly every frame of an agent
 * is, once a second from each. Such a one need not go through the schemas, which take as much memory to say yes as all
 * else that becomes of it. They stay the authority: what is accepted here they accept unchanged, and `null` says
 * nothing of what is wrong, or whether anything is.
 */
export function takePlainReport(value: unknown): AgentFrame | null {
  if (!isObject(value) || !hasOnly(value, envelopeFields)) return null;
  const { id, type, sentAtMs, body } = value;
  const isPlain =
    type === 'report' &&
    typeof id === 'string' &&
    id.length >= 1 &&
    id.length <= 64 &&
    Number.isFinite(sentAtMs) &&
    isPlainBody(body);
  return isPlain ? (value as AgentFrame) : null;
}

type Fields = Readonly<Record<string, unknown>>;

const envelopeFields: ReadonlySet<string> = new Set(['id', 'type', 'sentAtMs', 'body']);
const bodyFields: ReadonlySet<string> = new Set(['seq', 'telemetry']);
const sampleFields: ReadonlySet<string> = new Set(['atMs', 'host', 'gpus', 'replicas']);
const hostFields: ReadonlySet<string> = new Set(Object.keys(hostReadingSchema.shape));
/** A performance state is a text: it changes seldom. */
const gpuFields: ReadonlySet<string> = new Set(
  Object.keys(gpuReadingSchema.shape).filter((field) => field !== 'performanceState'),
);
const engineFields: ReadonlySet<string> = new Set(Object.keys(engineReadingSchema.shape));

function isPlainBody(body: unknown): boolean {
  if (!isObject(body) || !hasOnly(body, bodyFields)) return false;
  const { seq, telemetry } = body;
  if (!Number.isSafeInteger(seq) || (seq as number) < 1) return false;
  if (!Array.isArray(telemetry) || telemetry.length > MAX_SAMPLES_PER_REPORT) return false;
  return telemetry.every(isPlainSample);
}

function isPlainSample(sample: unknown): boolean {
  if (!isObject(sample) || !hasOnly(sample, sampleFields) || !Number.isFinite(sample['atMs'])) return false;
  const { host, gpus, replicas } = sample;
  return (
    (host === undefined || isPlainReading(host, hostFields)) &&
    (gpus === undefined || arePlainReadings(gpus, gpuFields, isCardId)) &&
    (replicas === undefined || arePlainReadings(replicas, engineFields, isName))
  );
}

function arePlainReadings(
  readings: unknown,
  known: ReadonlySet<string>,
  isKey: (key: string) => boolean,
): boolean {
  if (!isObject(readings)) return false;
  for (const key in readings) {
    if (!isKey(key)) return false;
    const reading = readings[key];
    if (reading !== null && !isPlainReading(reading, known)) return false;
  }
  return true;
}

function isPlainReading(reading: unknown, known: ReadonlySet<string>): boolean {
  if (!isObject(reading)) return false;
  for (const field in reading) {
    const value = reading[field];
    if (!known.has(field) || (value !== null && !Number.isFinite(value))) return false;
  }
  return true;
}

/** As the wire has it, but for what an object would take for its prototype. */
function isCardId(key: string): boolean {
  return key.length <= 80 && key !== '__proto__';
}

const NAME = /^[a-z0-9][a-z0-9._-]{0,62}$/;

function isName(key: string): boolean {
  return NAME.test(key);
}

function isObject(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function hasOnly(value: Fields, known: ReadonlySet<string>): boolean {
  for (const field in value) if (!known.has(field)) return false;
  return true;
}
