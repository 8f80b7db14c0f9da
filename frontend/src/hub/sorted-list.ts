/** Items in an order that is kept change by change: with fifty thousand of them sorting anew takes too long. */

/** An item is never changed, but put anew; of two with other ids the order says which comes first. */
export class SortedList<Item extends { id: string }> {
  #compare: (a: Item, b: Item) => number;
  #known = new Map<string, Item>();
  #sorted: Item[] = [];

  constructor(compare: (a: Item, b: Item) => number) {
    this.#compare = compare;
  }

  reset(items: Iterable<Item>) {
    this.#known = new Map([...items].map((item) => [item.id, item]));
    this.#sorted = [...this.#known.values()].sort(this.#compare);
  }

  get(id: string): Item | undefined {
    return this.#known.get(id);
  }

  put(item: Item) {
    this.drop(item.id);
    this.#known.set(item.id, item);
    this.#sorted.splice(this.#place(item), 0, item);
  }

  drop(id: string) {
    const known = this.#known.get(id);
    if (known === undefined) return;
    this.#known.delete(id);
    this.#sorted.splice(this.#place(known), 1);
  }

  get all(): Item[] {
    return this.#sorted.slice();
  }

  /** Where it stands, or would. */
  #place(item: Item): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.#sorted[middle];
      if (there !== undefined && this.#compare(there, item) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
