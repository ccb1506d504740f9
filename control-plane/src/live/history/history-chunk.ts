import type { EngineReading, GpuReading, HostReading, TelemetrySample } from '@ai-fabric/shared';
import { BLOCK_ROWS, ColumnBlock } from './column-block.js';
import { engineFields, gpuFields, hostFields, type Reading, type ReadingFields } from './reading-fields.js';

/** Names per stretch: a host has at most 32 cards at once; one that makes up names does not cost memory without end. */
const MAX_BLOCKS = 64;

/** A stretch of at most 64 samples of one host, in order of time. */
export class HistoryChunk {
  /** Server's clock, milliseconds, never falling. */
  readonly times: number[] = [];
  readonly #host = new ColumnBlock(hostFields);
  readonly #gpus = new Map<string, ColumnBlock>();
  readonly #replicas = new Map<string, ColumnBlock>();

  get isFull(): boolean {
    return this.times.length >= BLOCK_ROWS;
  }

  /** The chunk must not be full. */
  insert(row: number, sample: TelemetrySample): void {
    const rowCount = this.times.length;
    this.#host.insert(row, rowCount, sample.host);
    insertInto(this.#gpus, sample.gpus, gpuFields, row, rowCount);
    insertInto(this.#replicas, sample.replicas, engineFields, row, rowCount);
    this.times.splice(row, 0, sample.atMs);
    if (this.isFull) this.#seal();
  }

  #seal(): void {
    this.#host.seal();
    for (const block of this.#gpus.values()) block.seal();
    for (const block of this.#replicas.values()) block.seal();
  }

  read(row: number): TelemetrySample {
    return {
      atMs: this.times[row] as number,
      host: this.#host.read(row) as HostReading,
      gpus: readFrom<GpuReading>(this.#gpus, row),
      replicas: readFrom<EngineReading>(this.#replicas, row),
    };
  }

  /** The rows of this chunk without those before `fromRow` and from `toRow` on, as a chunk of its own. */
  slice(fromRow: number, toRow: number): HistoryChunk {
    const part = new HistoryChunk();
    for (let row = fromRow; row < toRow; row += 1) part.insert(part.times.length, this.read(row));
    return part;
  }
}

function insertInto(
  blocks: Map<string, ColumnBlock>,
  readings: Readonly<Record<string, Reading>>,
  fields: ReadingFields,
  row: number,
  rowCount: number,
): void {
  for (const key of Object.keys(readings)) {
    if (!blocks.has(key) && blocks.size < MAX_BLOCKS) blocks.set(key, new ColumnBlock(fields));
  }
  for (const [key, block] of blocks) {
    block.insert(row, rowCount, Object.hasOwn(readings, key) ? readings[key] : undefined);
  }
}

function readFrom<Kind extends Reading>(
  blocks: ReadonlyMap<string, ColumnBlock>,
  row: number,
): Record<string, Kind> {
  const readings: Record<string, Kind> = {};
  for (const [key, block] of blocks) {
    const reading = block.read(row);
    if (reading) readings[key] = reading as Kind;
  }
  return readings;
}
