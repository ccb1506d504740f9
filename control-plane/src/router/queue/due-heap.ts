/** Something that is due at a moment, and remembers its own place in the heap. */
export interface Due {
  /** Monotonic milliseconds; `Infinity`: never by itself. */
  dueAtMs: number;
  /** -1: in no heap. */
  heapPlace: number;
}

/** A binary heap, the earliest first. Coming, going and moving cost the logarithm of how many there are. */
export class DueHeap<Item extends Due> {
  readonly #items: Item[] = [];

  get size(): number {
    return this.#items.length;
  }

  get first(): Item | undefined {
    return this.#items[0];
  }

  add(item: Item): void {
    item.heapPlace = this.#items.length;
    this.#items.push(item);
    this.#rise(item);
  }

  /** Does nothing when it is not in the heap. */
  remove(item: Item): void {
    const place = item.heapPlace;
    if (place < 0) return;
    item.heapPlace = -1;
    const last = this.#items.pop() as Item;
    if (last === item) return;
    this.#put(last, place);
    this.#settle(last);
  }

  /** Of an item that is in the heap: it is due at another moment. */
  move(item: Item, dueAtMs: number): void {
    item.dueAtMs = dueAtMs;
    this.#settle(item);
  }

  #settle(item: Item): void {
    this.#rise(item);
    this.#sink(item);
  }

  #rise(item: Item): void {
    while (item.heapPlace > 0) {
      const { heapPlace } = item;
      const above = this.#items[(heapPlace - 1) >> 1] as Item;
      if (above.dueAtMs <= item.dueAtMs) return;
      this.#put(item, above.heapPlace);
      this.#put(above, heapPlace);
    }
  }

  #sink(item: Item): void {
    for (;;) {
      const { heapPlace } = item;
      const left = this.#items[2 * heapPlace + 1];
      const right = this.#items[2 * heapPlace + 2];
      if (left === undefined) return;
      const below = right !== undefined && right.dueAtMs < left.dueAtMs ? right : left;
      if (item.dueAtMs <= below.dueAtMs) return;
      this.#put(item, below.heapPlace);
      this.#put(below, heapPlace);
    }
  }

  #put(item: Item, place: number): void {
    this.#items[place] = item;
    item.heapPlace = place;
  }
}
