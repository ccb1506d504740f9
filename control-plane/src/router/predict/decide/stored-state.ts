import { z } from 'zod';
import type { RatesSnapshot } from '../learned-engine.js';
import { type KeyLength, LENGTH_BUCKETS, type LengthState } from './learn-lengths.js';

/** JSON that an earlier program may have written, or a disk spoiled: nothing of it is believed unseen. */

const count = z.number().min(0);
const rate = z.number().positive().max(3_600);
const ratesSchema = z.object({
  iterationSeconds: rate,
  perDecodingSeconds: rate,
  perPromptTokenSeconds: rate,
});
const snapshotSchema = z.object({
  /** Of the host, as its driver names it. */
  card: z.string().nullable(),
  prior: ratesSchema,
  rates: ratesSchema,
  normal: z.array(z.number()).length(6),
  target: z.array(z.number()).length(3),
  scale: z.number().positive(),
  observations: z.int().min(0),
  bytesPerToken: z.number().min(1).max(100),
  firstRequestSeconds: z.number().min(0).max(3_600),
  hitTrust: z.number().min(0).max(1),
});
const lengthsSchema = z.object({ counts: z.array(count).length(LENGTH_BUCKETS), total: count });
const keySchema = z.object({ mean: count, answers: z.int().min(1) });

export interface StoredRates extends RatesSnapshot {
  readonly card: string | null;
}

/** @returns `null`: it cannot be read */
export function readStoredRates(text: string): StoredRates | null {
  return read(snapshotSchema, text);
}

/** @returns `null`: it cannot be read */
export function readStoredLengths(text: string): LengthState | null {
  const stored = read(lengthsSchema, text);
  return stored === null ? null : { counts: Float64Array.from(stored.counts), total: stored.total };
}

/** @returns `null`: it cannot be read */
export function readStoredKeyLength(text: string): KeyLength | null {
  return read(keySchema, text);
}

export function storeRates(rates: StoredRates): string {
  return JSON.stringify(rates);
}

export function storeLengths({ counts, total }: LengthState): string {
  return JSON.stringify({ counts: Array.from(counts), total });
}

export function storeKeyLength({ mean, answers }: KeyLength): string {
  return JSON.stringify({ mean, answers });
}

function read<Stored>(schema: z.ZodType<Stored>, text: string): Stored | null {
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch {
    return null;
  }
  return schema.safeParse(parsed).data ?? null;
}
