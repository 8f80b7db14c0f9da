/** What was acknowledged, and what hubs and screens show of it. */

import { createHash } from 'node:crypto';

import { json } from './programs.mjs';

const PAGE = 1000;
/** Not shown by all hubs for so long, although all of them run: lost. Longer than a kill and what follows from it. */
const LOST_AFTER_MS = 60_000;

/** The updates of one hub, read as they come. */
class Shown {
  #reading = null;

  constructor(hub) {
    this.hub = hub;
    /** Positions by the id of the event. */
    this.positions = new Map();
    /** Positions in their order, with what was sent there. */
    this.updates = [];
    this.doubled = 0;
    this.after = 0;
    this.problem = null;
  }

  /** Reads on; false where the hub did not answer. One reading at a time: two would take the same page. */
  read() {
    this.#reading ??= this.#readOn().finally(() => {
      this.#reading = null;
    });
    return this.#reading;
  }

  async #readOn() {
    for (;;) {
      const page = await json(`${this.hub.origin}/api/umbler/updates?after=${this.after}&limit=${PAGE}`);
      if (page === null) return false;
      for (const update of page.updates) this.#add(update);
      const more = page.next > this.after;
      this.after = page.next;
      if (!more || page.updates.length === 0) return true;
    }
  }

  #add({ seq, data }) {
    if (seq <= this.after) this.problem ??= `hub ${this.hub.name} shows position ${seq} after ${this.after}`;
    this.updates.push([seq, createHash('sha256').update(JSON.stringify(data)).digest('hex')]);
    if (this.positions.has(data.eventId)) this.doubled += 1;
    this.positions.set(data.eventId, seq);
  }
}

export class Ledger {
  #acknowledged = new Map();
  #seen = new Set();
  #refused = 0;
  #unread = 0;

  constructor(hubs) {
    this.shown = hubs.map((hub) => new Shown(hub));
  }

  /** A sender was told that this delivery is taken. */
  acknowledge(body, answer) {
    let delivery;
    let told;
    try {
      [delivery, told] = [JSON.parse(body), JSON.parse(answer)];
    } catch {
      this.#unread += 1;
      return;
    }
    if (told.status !== 'accepted' && told.status !== 'duplicate') this.#unread += 1;
    else if (!this.#seen.has(delivery.EventId)) {
      this.#seen.add(delivery.EventId);
      this.#acknowledged.set(delivery.EventId, Date.now());
    }
  }

  refuse() {
    this.#refused += 1;
  }

  /** Reads on at all hubs that answer, and forgets what all of them show. */
  async read() {
    await Promise.all(this.shown.map((shown) => shown.read()));
    for (const id of this.#acknowledged.keys())
      if (this.shown.every(({ positions }) => positions.has(id))) this.#acknowledged.delete(id);
  }

  figures() {
    const old = Date.now() - LOST_AFTER_MS;
    const waiting = this.#acknowledged.size;
    const lost = [...this.#acknowledged.values()].filter((at) => at < old).length;
    const doubled = this.shown.reduce((sum, shown) => sum + shown.doubled, 0);
    return { acknowledged: this.#seen.size, refused: this.#refused, waiting, lost, doubled };
  }

  /** What differs, once everything is back; nothing where all is as it should be. */
  async differences() {
    for (const shown of this.shown) if (!(await shown.read())) return [`hub ${shown.hub.name} does not answer`];
    await this.read();
    const found = this.shown.flatMap(({ problem }) => problem ?? []);
    if (this.#seen.size === 0) found.push('nothing was acknowledged');
    if (this.#unread > 0) found.push(`${this.#unread} deliveries were answered otherwise than with accepted`);
    for (const id of [...this.#acknowledged.keys()].slice(0, 5)) {
      const lacking = this.shown.filter(({ positions }) => !positions.has(id)).map(({ hub }) => hub.name);
      found.push(`delivery ${id} was acknowledged, and is not shown by ${lacking.join(', ')}`);
    }
    if (this.#acknowledged.size > 5) found.push(`${this.#acknowledged.size} acknowledged deliveries are lost`);
    for (const { doubled, hub } of this.shown) if (doubled > 0) found.push(`hub ${hub.name} shows ${doubled} twice`);
    return [...found, ...this.#unlike()];
  }

  /** Where hubs show something else than the first at a position. */
  #unlike() {
    const [first, ...others] = this.shown;
    return others.flatMap(({ hub, updates }) => {
      const at = first.updates.findIndex(([seq, sum], place) => {
        const other = updates[place];
        return other?.[0] !== seq || other[1] !== sum;
      });
      if (at < 0 && updates.length === first.updates.length) return [];
      const [seq] = first.updates[at] ?? updates[first.updates.length];
      return [`hubs ${first.hub.name} and ${hub.name} differ at position ${seq}`];
    });
  }

  /** The positions that were shown behind this one. */
  positionsAfter(seq) {
    return this.shown[0].updates.map(([each]) => each).filter((each) => each > seq);
  }
}
