/**
 * Things that come and go by the thousand a second, each of which remembers its own place. No `Set`: each time one grows
 * anew, the table before it keeps all that was in it alive through a chain of tables until a full collection, and every
 * request would grow old that way.
 */
export class SlotList<Key extends string, Item extends { [key in Key]: number }> {
  readonly #items: Item[] = [];
  readonly #key: Key;

  /** @param key where an item remembers its place; -1 while it has none */
  constructor(key: Key) {
    this.#key = key;
  }

  get size(): number {
    return this.#items.length;
  }

  add(item: Item): void {
    if (item[this.#key] >= 0) return;
    this.#place(item, this.#items.length);
    this.#items.push(item);
  }

  /** Its place goes to the last one. Does nothing when it is not in the list. */
  remove(item: Item): void {
    const place = item[this.#key];
    if (place < 0) return;
    this.#place(item, -1);
    const last = this.#items.pop() as Item;
    if (last === item) return;
    this.#items[place] = last;
    this.#place(last, place);
  }

  /** Each that was there when it began and still is; what `look` removes is no trouble. */
  forEach(look: (item: Item) => void): void {
    // Backwards: what `remove` moves into a freed place was looked at already.
    for (let place = this.#items.length - 1; place >= 0; place--) {
      const item = this.#items[place];
      if (item !== undefined) look(item);
    }
  }

  #place(item: Record<Key, number>, place: number): void {
    item[this.#key] = place as Item[Key];
  }
}
