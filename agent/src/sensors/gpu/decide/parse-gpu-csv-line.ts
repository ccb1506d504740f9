import { emptyGpuReading, type GpuReading } from '@ai-fabric/shared';
import { normaliseBusId } from './normalise-bus-id.js';
import {
  BYTES_PER_MIB,
  parseSmiMask,
  parseSmiNumber,
  parseSmiQuantity,
  parseSmiText,
  saysCardLost,
} from './parse-smi-value.js';
import type { QueryColumn, QueryField } from './plan-query-fields.js';

/** One line of `--query-gpu … --format=csv,noheader,nounits`. */
export interface GpuRow {
  /** `null` when the driver could not say: a lost card may lose its name too. */
  readonly uuid: string | null;
  readonly index: number | null;
  /** In the spelling of `normaliseBusId`. */
  readonly busId: string | null;
  /** The driver says that this card fell off the bus or must be reset. */
  readonly lost: boolean;
  readonly reading: GpuReading;
}

const UUID = /^(?:GPU|MIG)-[0-9A-Za-z/-]{1,76}$/;
const PERCENT = 0.01;

type ReadingColumn = Exclude<QueryColumn, 'uuid' | 'index' | 'busId'>;
type QuantityColumn = Exclude<ReadingColumn, 'performanceState' | 'clocksEventReasonsMask'>;

/** How each column of a reading is read: [least, most, scale] in the driver's unit. */
const QUANTITIES: Record<QuantityColumn, readonly [number, number, number]> = {
  temperatureCelsius: [-50, 250, 1],
  memoryTemperatureCelsius: [-50, 250, 1],
  utilisationRatio: [0, 100, PERCENT],
  memoryUtilisationRatio: [0, 100, PERCENT],
  vramTotalBytes: [0, 2 ** 24, BYTES_PER_MIB],
  vramUsedBytes: [0, 2 ** 24, BYTES_PER_MIB],
  powerWatts: [0, 20_000, 1],
  powerLimitWatts: [0, 20_000, 1],
  smClockMhz: [0, 20_000, 1],
  memoryClockMhz: [0, 60_000, 1],
  // A fan may turn faster than its nominal maximum: the tool's manual says so.
  fanRatio: [0, 200, PERCENT],
};

/**
 * Reads one line against the fields that were asked for.
 *
 * @returns `null` when the line is not such a row: a message of the tool, or garbage
 */
export function parseGpuCsvLine(line: string, fields: readonly QueryField[]): GpuRow | null {
  const values = line.split(',');
  if (values.length !== fields.length) return null;
  const reading: GpuReading = { ...emptyGpuReading };
  let uuid: string | null = null;
  let index: number | null = null;
  let busId: string | null = null;
  for (let at = 0; at < fields.length; at += 1) {
    const column = (fields[at] as QueryField).column;
    const text = values[at] as string;
    if (column === 'uuid') uuid = parseUuid(text);
    else if (column === 'index') index = parseSmiNumber(text);
    else if (column === 'busId') busId = normaliseBusId(text);
    else setColumn(reading, column, text);
  }
  const lost = saysCardLost(line);
  // A row without a name is a row only if the driver says that its card is gone and which one it was.
  if (uuid === null && !(lost && (busId !== null || index !== null))) return null;
  return { uuid, index, busId, lost, reading };
}

function parseUuid(text: string): string | null {
  const value = text.trim();
  return UUID.test(value) ? value : null;
}

function setColumn(reading: GpuReading, column: ReadingColumn, text: string): void {
  if (column === 'performanceState') {
    reading.performanceState = parseSmiText(text, 8);
  } else if (column === 'clocksEventReasonsMask') {
    reading.clocksEventReasonsMask = parseSmiMask(text);
  } else {
    const [least, most, scale] = QUANTITIES[column];
    const value = parseSmiQuantity(text, least, most, scale);
    reading[column] = value === null || scale !== PERCENT ? value : Math.round(value * 10_000) / 10_000;
  }
}
