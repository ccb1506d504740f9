import {
  type EngineReading,
  emptyEngineReading,
  emptyGpuReading,
  emptyHostReading,
  type GpuReading,
  type HostReading,
} from '@ai-fabric/shared';

/** Any of the three kinds of reading: a flat record of numbers, `null` for none, and one short text. */
export type Reading = HostReading | GpuReading | EngineReading;

/** The fields of one kind of reading, in the order in which a block keeps their columns. */
export interface ReadingFields {
  readonly names: readonly string[];
}

export const hostFields: ReadingFields = { names: Object.keys(emptyHostReading) };
export const gpuFields: ReadingFields = { names: Object.keys(emptyGpuReading) };
export const engineFields: ReadingFields = { names: Object.keys(emptyEngineReading) };

const PERFORMANCE_STATE = /^P(\d{1,3})$/;

/** A field's value as a number; NaN for none. Of texts only NVIDIA's performance states ("P0" to "P15") are kept. */
export function toColumnValue(value: number | string | null | undefined): number {
  if (typeof value === 'number') return value;
  if (typeof value !== 'string') return Number.NaN;
  const state = PERFORMANCE_STATE.exec(value)?.[1];
  return state === undefined ? Number.NaN : Number(state);
}

/** The way back from `toColumnValue`. */
export function fromColumnValue(field: string, value: number): number | string | null {
  if (Number.isNaN(value)) return null;
  return field === 'performanceState' ? `P${value}` : value;
}
