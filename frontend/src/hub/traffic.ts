/**
 * Messages by the hour, as far back as `HOURS`: read once from the totals of REST, then counted on as messages arrive.
 * After an interruption that the hub could not replay everything is read again.
 */

import type { Message, UmblerHubClient } from 'umbler-hub-client';

import { reasonOf } from './errors.ts';
import { read } from './reads.ts';
import { Store } from './store.ts';

export interface Hour {
  /** Its first moment, in milliseconds. */
  from: number;
  customers: number;
  team: number;
  /** Bots, and what was written outside of Umbler Talk. */
  others: number;
}

export interface Traffic {
  hours: Hour[] | null;
  failure: string | null;
}

const HOURS = 12;
const RETRY_MS = 10_000;
const CORRECT_MS = 5_000;
/** At a hundred messages a second something always comes in between. */
const TRIES = 4;
const HOUR_MS = 3_600_000;
const SOURCES = ['Contact', 'Member'];

export class TrafficStore extends Store<Traffic> {
  #hours: Hour[] | null = null;
  #reading = 0;
  /** Messages that arrive while totals are read; they may be in them or not. */
  #meanwhile = false;
  #correcting: ReturnType<typeof setTimeout> | null = null;

  constructor(client: UmblerHubClient) {
    super({ hours: null, failure: null });
    client.on('subscribed', ({ recovered }) => {
      if (!recovered && this.#reading > 0) void this.read();
    });
    client.on('umbler_update', ({ changes, message, otherMessages = [] }) => {
      if (!changes?.includes('new_message')) return;
      this.#meanwhile = true;
      // Which of two is new is not told; the hub is asked.
      if (otherMessages.length > 0) this.#correctSoon();
      else if (message) this.#count(message);
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.#forget();
    });
  }

  /** Reads the totals anew, unless they are known. */
  begin() {
    if (this.#hours === null) void this.read();
  }

  async read() {
    const reading = (this.#reading += 1);
    const now = Date.now();
    // Zones that are no whole hours away from UTC have hours too.
    const current = now - ((now - new Date(now).getTimezoneOffset() * 60_000) % HOUR_MS);
    const starts = Array.from({ length: HOURS }, (_, index) => current - (HOURS - 1 - index) * HOUR_MS);
    try {
      const hours: Hour[] = [];
      for (const from of starts) {
        const hour = from === current ? await this.#running(from) : await this.#hour(from);
        if (reading !== this.#reading) return;
        hours.push(hour);
      }
      this.#hours = hours;
      this.#tell(null);
    } catch (error) {
      if (reading !== this.#reading) return;
      this.#tell(reasonOf(error));
      // A wall has nobody to press a button.
      setTimeout(() => {
        if (reading === this.#reading) void this.read();
      }, RETRY_MS);
    }
  }

  /** The hour that runs: asked again where something came in between, so that nothing counts twice or not at all. */
  async #running(from: number): Promise<Hour> {
    for (let left = TRIES; ; left -= 1) {
      this.#meanwhile = false;
      const hour = await this.#hour(from);
      if (!this.#meanwhile || left === 0) return hour;
    }
  }

  #correctSoon() {
    this.#correcting ??= setTimeout(async () => {
      this.#correcting = null;
      const [reading, last] = [this.#reading, this.#hours?.at(-1)];
      if (!last) return;
      const hour = await this.#running(last.from).catch(() => null);
      if (hour === null || reading !== this.#reading || this.#hours === null) return;
      this.#hours = this.#hours.map((known) => (known.from === hour.from ? hour : known));
      this.#tell(null);
    }, CORRECT_MS);
  }

  async #hour(from: number): Promise<Hour> {
    const [since, until] = [new Date(from).toISOString(), new Date(from + HOUR_MS).toISOString()];
    const total = async (source?: string): Promise<number> => (await read('/api/umbler/messages', { source, since, until, limit: 1 })).total;
    const all = await total();
    // At night there is nothing to tell apart.
    const [customers = 0, team = 0] = all === 0 ? [] : await Promise.all(SOURCES.map(total));
    return { from, customers, team, others: Math.max(0, all - customers - team) };
  }

  #count(message: Message) {
    if (this.#hours === null) return;
    const at = Date.parse(message.at);
    const last = this.#hours.at(-1);
    if (last && at >= last.from + HOUR_MS && at < last.from + 2 * HOUR_MS) {
      this.#hours = [...this.#hours.slice(1), { from: last.from + HOUR_MS, customers: 0, team: 0, others: 0 }];
    }
    const key = message.source === 'Contact' ? 'customers' : message.source === 'Member' ? 'team' : 'others';
    this.#hours = this.#hours.map((hour) =>
      at >= hour.from && at < hour.from + HOUR_MS ? { ...hour, [key]: hour[key] + 1 } : hour,
    );
    this.#tell(null);
  }

  #forget() {
    this.#reading += 1;
    this.#hours = null;
    this.#tell(null);
  }

  #tell(failure: string | null) {
    this.soon(() => ({ hours: this.#hours, failure }));
  }
}
