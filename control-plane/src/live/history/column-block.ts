import { fromColumnValue, type Reading, type ReadingFields, toColumnValue } from './reading-fields.js';
import { SealedColumns } from './sealed-columns.js';

/** Samples in one block. Long enough to pay for the block itself, short enough that idle values stay constant in it. */
export const BLOCK_ROWS = 64;
const GROW_SLOTS = 4;
const CONSTANT = -1;

/** The first column says whether the card or replica was there at all: 1 or 0. */
const PRESENT = 0;

/**
 * Up to 64 readings of one thing as columns. A column whose value never changed costs one number; one that did
 * keeps each row's distance from the first value, as a float of 32 bits while rows are added, in two bytes once the
 * block is sealed. Counters in the billions and byte counts so keep what matters of them: their movement.
 */
export class ColumnBlock {
  readonly #fields: ReadingFields;
  readonly #bases: number[];
  readonly #slots: number[];
  #data: Float32Array | null = null;
  #sealed: SealedColumns | null = null;
  #slotCount = 0;
  #everPresent = false;

  constructor(fields: ReadingFields) {
    this.#fields = fields;
    this.#bases = new Array<number>(fields.names.length + 1).fill(Number.NaN);
    this.#slots = new Array<number>(fields.names.length + 1).fill(CONSTANT);
    this.#bases[PRESENT] = 0;
  }

  /**
   * Puts a reading before `row`; later ones move up.
   *
   * @param rowCount rows that the chunk holds already, below `BLOCK_ROWS`
   * @param reading `undefined`: the thing was not there
   */
  insert(row: number, rowCount: number, reading: Reading | undefined): void {
    if (rowCount === 0) this.#bases[PRESENT] = reading ? 1 : 0;
    this.#insertValue(PRESENT, row, rowCount, reading ? 1 : 0);
    const names = this.#fields.names;
    for (let index = 0; index < names.length; index += 1) {
      const column = index + 1;
      if (!reading) {
        // What an absent row says in the other columns is never read.
        if (this.#slots[column] !== CONSTANT) this.#shift(column, row, rowCount, Number.NaN);
        continue;
      }
      const value = toColumnValue(
        (reading as Record<string, number | string | null>)[names[index] as string],
      );
      if (this.#everPresent) this.#insertValue(column, row, rowCount, value);
      else this.#bases[column] = value;
    }
    if (reading) this.#everPresent = true;
  }

  /** Packs a full block. Nothing can be inserted afterwards. */
  seal(): void {
    if (!this.#data) return;
    this.#sealed = new SealedColumns(this.#data, this.#slotCount, BLOCK_ROWS);
    this.#data = null;
  }

  /** @returns `undefined` where the thing was not there */
  read(row: number): Reading | undefined {
    if (this.#value(PRESENT, row) === 0) return undefined;
    const reading: Record<string, number | string | null> = {};
    const names = this.#fields.names;
    for (let index = 0; index < names.length; index += 1) {
      const name = names[index] as string;
      reading[name] = fromColumnValue(name, this.#value(index + 1, row));
    }
    return reading as unknown as Reading;
  }

  #value(column: number, row: number): number {
    const base = this.#bases[column] as number;
    const slot = this.#slots[column] as number;
    if (slot === CONSTANT) return base;
    if (this.#sealed) return tidy(base + this.#sealed.value(slot, row));
    return tidy(base + (this.#data?.[slot * BLOCK_ROWS + row] as number));
  }

  #insertValue(column: number, row: number, rowCount: number, value: number): void {
    const base = this.#bases[column] as number;
    if (this.#slots[column] === CONSTANT) {
      if (Object.is(base, value)) return;
      this.#vary(column, rowCount, Number.isNaN(base) ? Number.NaN : 0);
    }
    // The first value that is one: differences are taken from it.
    if (Number.isNaN(this.#bases[column])) this.#bases[column] = value;
    this.#shift(column, row, rowCount, value - (this.#bases[column] as number));
  }

  /** From here on the column has a value per row; those before all had the same. */
  #vary(column: number, rowCount: number, offset: number): void {
    const slot = this.#slotCount;
    this.#slotCount += 1;
    if (!this.#data || this.#slotCount * BLOCK_ROWS > this.#data.length) {
      const grown = new Float32Array((slot + GROW_SLOTS) * BLOCK_ROWS);
      if (this.#data) grown.set(this.#data);
      this.#data = grown;
    }
    this.#slots[column] = slot;
    this.#data.fill(offset, slot * BLOCK_ROWS, slot * BLOCK_ROWS + rowCount);
  }

  #shift(column: number, row: number, rowCount: number, offset: number): void {
    const start = (this.#slots[column] as number) * BLOCK_ROWS;
    const data = this.#data as Float32Array;
    if (row < rowCount) data.copyWithin(start + row + 1, start + row, start + rowCount);
    data[start + row] = offset;
  }
}

/** Takes away what the packing added, so that 0.3013 comes back as 0.3013; `+ 0` makes no -0 of a 0. */
function tidy(value: number): number {
  return Math.abs(value) < 1e9 ? Math.round(value * 1e6) / 1e6 + 0 : value;
}
