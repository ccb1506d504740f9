/** Something that stands in a `WorkList`, and knows its neighbours. */
export interface Listed<Item> {
  before: Item | null;
  after: Item | null;
}

/** First in, first out, and out of the middle at no cost: nothing is allocated beside the items themselves. */
export class WorkList<Item extends Listed<Item>> {
  first: Item | null = null;
  last: Item | null = null;

  add(item: Item): void {
    item.before = this.last;
    item.after = null;
    if (this.last === null) this.first = item;
    else this.last.after = item;
    this.last = item;
  }

  /** Of an item that is in it. */
  remove(item: Item): void {
    if (item.before === null) this.first = item.after;
    else item.before.after = item.after;
    if (item.after === null) this.last = item.before;
    else item.after.before = item.before;
    item.before = null;
    item.after = null;
  }
}
