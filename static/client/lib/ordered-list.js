// @ts-check
/**
 * A list as the hub's snapshot sorts it: latest first, then by what tells items of one moment apart (their ids, unless
 * said otherwise), at most `limit` items.
 *
 * Where the hub has more items than are here, the list ends at a floor: what sorts below it stays out, because items
 * in between are not known. So the list never has holes.
 *
 * Where nothing tells when an item was active, the hub's order is kept, and newcomers come first.
 */

/**
 * A moment as text that sorts: the hub writes as many digits of a second as there are, up to nine, or none.
 *
 * @param {string | null | undefined} at RFC 3339 in UTC
 */
export function sortKey(at) {
  if (!at) return '';
  const [seconds, fraction = ''] = at.replace(/Z$/, '').split('.');
  return `${seconds}.${fraction}`;
}

/** @template {{ id: string }} T */
export class OrderedList {
  /** @type {{ key: string, tie: string, item: T }[]} */
  #entries = [];
  /** @type {Map<string, string>} the key of each item by id */
  #keys = new Map();
  /** @type {{ key: string, tie: string } | null} */
  #floor = null;
  /** @type {T[] | null} */
  #items = null;
  #limit;
  #at;
  #tie;

  /**
   * @param {(item: T) => string | null} at what it is sorted by @param {number} limit
   * @param {(item: T) => string} tie what items of one moment are sorted by
   */
  constructor(at, limit, tie = ({ id }) => id) {
    this.#at = at;
    this.#limit = limit;
    this.#tie = tie;
  }

  /** A new array after every change, the same one while nothing changes. */
  get items() {
    this.#items ??= this.#entries.map((entry) => entry.item);
    return this.#items;
  }

  /** True where the hub has more. */
  get truncated() {
    return this.#floor !== null;
  }

  /** True where so many items have left a list that was cut that it should be filled again. */
  get isDepleted() {
    return this.#floor !== null && this.#entries.length * 2 < this.#limit;
  }

  /**
   * True where an item that stands at this moment belongs here and is not.
   *
   * @param {string} id @param {string | null} at @param {string} tie
   */
  lacks(id, at, tie = id) {
    const full = this.#entries.length >= this.#limit ? this.#entries.at(-1) : undefined;
    const end = this.#floor ?? full ?? null;
    return !this.#keys.has(id) && (end === null || !isBelow({ key: sortKey(at), tie }, end)) && this.#limit > 0;
  }

  /** There are items that were not told: a list of nothing is cut by them, too. */
  hearOfMore() {
    if (this.#limit === 0) this.#floor = this.#end();
  }

  /** @param {string} id @returns {T | undefined} */
  get(id) {
    const key = this.#keys.get(id);
    return key === undefined ? undefined : this.#entries[this.#indexOf(id)].item;
  }

  /** Takes over a snapshot's list. @param {readonly T[]} items @param {boolean} truncated */
  replace(items, truncated) {
    this.#keys.clear();
    this.#entries = items.slice(0, this.#limit).map((item) => this.#entryOf(item));
    for (const { key, item } of this.#entries) this.#keys.set(item.id, key);
    // What a limited user sees of a moment may be older than what the hub sorted by.
    if (this.#entries.some(({ key }) => key !== '')) this.#entries.sort(byLatest);
    this.#floor = truncated ? this.#end() : null;
    this.#items = null;
  }

  /** Puts an item where it belongs, in place of its older self. @param {T} item */
  put(item) {
    const entry = this.#entryOf(item);
    const index = this.#indexOf(item.id);
    if (index >= 0 && this.#entries[index].key === entry.key && this.#entries[index].tie === entry.tie) {
      this.#entries[index] = entry;
      this.#items = null;
      return;
    }
    this.remove(item.id);
    if (entry.key !== '' && this.#floor !== null && isBelow(entry, this.#floor)) return;
    this.#entries.splice(this.#placeOf(entry), 0, entry);
    this.#keys.set(item.id, entry.key);
    this.#items = null;
    if (this.#entries.length > this.#limit) this.#cut();
  }

  /** @param {string} id */
  remove(id) {
    const index = this.#indexOf(id);
    if (index < 0) return;
    this.#entries.splice(index, 1);
    this.#keys.delete(id);
    this.#items = null;
  }

  /** Changes items in place, without moving them. @param {(item: T) => boolean} which @param {(item: T) => T} change */
  patch(which, change) {
    for (const entry of this.#entries) {
      if (!which(entry.item)) continue;
      entry.item = change(entry.item);
      this.#items = null;
    }
  }

  /** @param {(item: T) => boolean} which */
  removeWhere(which) {
    for (const item of this.items.filter(which)) this.remove(item.id);
  }

  #cut() {
    const cut = this.#entries.pop();
    if (cut) this.#keys.delete(cut.item.id);
    this.#floor = this.#end();
  }

  /** Where the list ends. With a limit of 0 nothing is known, so nothing is let in. */
  #end() {
    const last = this.#entries.at(-1);
    return last ? { key: last.key, tie: last.tie } : { key: '\uffff', tie: '' };
  }

  /** @param {T} item */
  #entryOf(item) {
    return { key: sortKey(this.#at(item)), tie: this.#tie(item), item };
  }

  /** @param {string} id */
  #indexOf(id) {
    return this.#keys.has(id) ? this.#entries.findIndex(({ item }) => item.id === id) : -1;
  }

  /** Where a newcomer stands. @param {{ key: string, tie: string }} newcomer */
  #placeOf(newcomer) {
    if (newcomer.key === '') return this.#entries.some(({ key }) => key !== '') ? this.#entries.length : 0;
    let low = 0;
    let high = this.#entries.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isBelow(newcomer, this.#entries[middle])) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** @param {{ key: string, tie: string }} a @param {{ key: string, tie: string }} b */
function byLatest(a, b) {
  return isBelow(a, b) ? 1 : -1;
}

/** @param {{ key: string, tie: string }} one @param {{ key: string, tie: string }} than */
function isBelow(one, than) {
  return one.key < than.key || (one.key === than.key && one.tie < than.tie);
}
