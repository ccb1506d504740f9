/** What the rounds of a benchmark gave, by name. */
export class Rounds {
  readonly #values: Record<string, number[]> = {};

  add(name: string, value: number): void {
    const values = this.#values[name] ?? [];
    this.#values[name] = values;
    values.push(value);
  }

  of(name: string): readonly number[] | undefined {
    return this.#values[name];
  }

  get all(): Readonly<Record<string, readonly number[]>> {
    return this.#values;
  }
}
