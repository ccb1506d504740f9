/** Marks a value that was `null`. */
const NONE = -32_768;
const MOST = 32_767;

/** Steps that readings tend to move in: whole numbers, hundredths of a watt, ratios, KiB, MiB. Such columns stay exact. */
const STEPS = [1, 1e-2, 1e-4, 1_024, 1_048_576];

/**
 * Columns at rest, two bytes a value: each is a multiple of its column's step, counted from the column's middle.
 * What moves in none of the usual steps is kept to 1/65,534 of its movement.
 */
export class SealedColumns {
  readonly #rows: number;
  readonly #values: Int16Array;
  /** By slot: the middle, then the step. */
  readonly #scales: number[] = [];

  /** @param data columns of `rows` values each, one behind the other; NaN for none */
  constructor(data: Float32Array, slotCount: number, rows: number) {
    this.#rows = rows;
    this.#values = new Int16Array(slotCount * rows);
    for (let slot = 0; slot < slotCount; slot += 1)
      this.#seal(data.subarray(slot * rows, (slot + 1) * rows), slot);
  }

  /** NaN for none. */
  value(slot: number, row: number): number {
    const value = this.#values[slot * this.#rows + row] as number;
    if (value === NONE) return Number.NaN;
    return (this.#scales[slot * 2] as number) + value * (this.#scales[slot * 2 + 1] as number);
  }

  #seal(column: Float32Array, slot: number): void {
    let low = Number.POSITIVE_INFINITY;
    let high = Number.NEGATIVE_INFINITY;
    for (const value of column) {
      if (value < low) low = value;
      if (value > high) high = value;
    }
    const step = STEPS.find((candidate) => fits(column, low, high, candidate)) ?? coarseStep(high - low);
    const middle = Number.isFinite(low) ? low + Math.round((high - low) / step / 2) * step : 0;
    this.#scales.push(middle, step);
    for (let row = 0; row < column.length; row += 1) {
      const value = column[row] as number;
      this.#values[slot * this.#rows + row] = Number.isNaN(value)
        ? NONE
        : Math.max(-MOST, Math.min(MOST, Math.round((value - middle) / step)));
    }
  }
}

/** The range in 65,534 steps; whole ones where that is not too coarse, so that a counter stays a whole number. */
function coarseStep(range: number): number {
  const step = range / (2 * MOST);
  if (!Number.isFinite(step) || step <= 0) return 1;
  return step > 1 ? Math.ceil(step) : step;
}

function fits(column: Float32Array, low: number, high: number, step: number): boolean {
  if ((high - low) / step > 2 * MOST - 2) return false;
  for (const value of column) {
    const steps = (value - low) / step;
    // Values are floats of 32 bits: a hundredth is not quite a hundredth.
    if (Math.abs(steps - Math.round(steps)) > 1e-2) return false;
  }
  return true;
}
