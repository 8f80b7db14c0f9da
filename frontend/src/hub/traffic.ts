/**
 * Messages of today by the hour: read once, then counted on as messages arrive. The position of the answer says which
 * updates it holds already. What an update does not tell exactly is read again.
 */

import type { UmblerHubClient, Update } from 'umbler-hub-client';

import { hubTime, whenReached } from './clock.ts';
import { readDay, type Counts, type Day, type Usual } from './day-traffic.ts';
import { isMissing, reasonOf } from './errors.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export interface Traffic {
  day: Day | null;
  failure: string | null;
  missing: boolean;
}

interface Counted {
  seq: number;
  at: number;
  key: keyof Counts;
}

const RETRY_MS = 10_000;
const CORRECT_MS = 5000;
/** All pages read again after an hour is over, but not all in the same moment. */
const SPREAD_MS = 30_000;
/** More than come in while an answer is under way, however many come. */
const LATER_MAX = 20_000;
const NOTHING: Traffic = { day: null, failure: null, missing: false };
const KEYS: Record<string, keyof Counts> = { Contact: 'customers', Member: 'team', Bot: 'others', External: 'others' };

export class TrafficStore extends Store<Traffic> {
  #day: Day | null = null;
  #usual: Usual | null = null;
  /** Counted here, and perhaps not in the answer that is under way. */
  #later: Counted[] = [];
  #reading = 0;
  #failure: string | null = null;
  #begun = false;
  #correcting: ReturnType<typeof setTimeout> | null = null;
  /** Calls off what waits for another day, or for history to be whole again. */
  #stopWaiting = () => {};

  constructor(client: UmblerHubClient) {
    super(NOTHING);
    onStream(client, ({ missed }) => {
      if (missed && this.#begun) void this.read();
    });
    client.on('umbler_update', (update, { seq }) => {
      if (this.#begun) this.#update(update, seq ?? 0);
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.#forget();
    });
  }

  /** Reads the day, unless it is known. */
  begin() {
    if (!this.#begun) void this.read();
  }

  async read() {
    const reading = ++this.#reading;
    this.#begun = true;
    try {
      const { day, usual } = await readDay(undefined, this.#usual);
      if (reading !== this.#reading) return;
      this.#usual = usual;
      this.#day = day;
      const counted = this.#later.filter(({ seq }) => seq > day.asOfSeq);
      this.#later = [];
      for (const one of counted) this.#count(one);
      this.#wait(day);
      this.#failure = null;
      this.#tell();
    } catch (error) {
      if (reading !== this.#reading) return;
      if (isMissing(error)) return this.set({ ...NOTHING, missing: true });
      this.#failure = reasonOf(error);
      this.#tell();
      // A wall has nobody to press a button.
      this.#correctSoon(RETRY_MS);
    }
  }

  /** An hour is over, another day begins, or history is whole again. */
  #wait({ hours, rebuilding }: Day) {
    this.#stopWaiting();
    const again = () => void this.read();
    const hour = hours.find(({ until }) => until > hubTime()) ?? hours.at(-1);
    const isLast = hour === hours.at(-1);
    if (rebuilding) {
      const timer = setTimeout(again, RETRY_MS);
      this.#stopWaiting = () => clearTimeout(timer);
    } else {
      this.#stopWaiting = whenReached((hour?.until ?? 0) + (isLast ? 0 : Math.random() * SPREAD_MS), again);
    }
  }

  #update({ type, changes = [], chat, message, otherMessages = [] }: Update, seq: number) {
    // What comes into sight, or goes, brings its history along.
    if (type === 'chat_entered' || type === 'chat_gone') return this.#correctSoon(CORRECT_MS);
    if (!changes.includes('new_message') || chat?.kind !== 'direct') return;
    // Which of two is new is not told.
    if (otherMessages.length > 0) return this.#correctSoon(CORRECT_MS);
    const key = KEYS[message?.source ?? ''];
    // The metrics count neither notes nor reactions.
    if (!message || key === undefined || message.private || message.type === 'Reaction') return;
    this.#count({ seq, at: Date.parse(message.at), key });
    this.#tell();
  }

  #count(counted: Counted) {
    this.#later.push(counted);
    if (this.#later.length > LATER_MAX) this.#later = this.#later.slice(-LATER_MAX / 2);
    if (this.#day === null || counted.seq <= this.#day.asOfSeq) return;
    const { at, key } = counted;
    this.#day = {
      ...this.#day,
      hours: this.#day.hours.map((hour) =>
        at >= hour.from && at < hour.until ? { ...hour, [key]: hour[key] + 1 } : hour,
      ),
    };
  }

  #correctSoon(ms: number) {
    this.#correcting ??= setTimeout(() => {
      this.#correcting = null;
      void this.read();
    }, ms);
  }

  #forget() {
    this.#reading += 1;
    this.#stopWaiting();
    this.#day = null;
    this.#usual = null;
    this.#later = [];
    this.#begun = false;
    this.#failure = null;
    this.set(NOTHING);
  }

  #tell() {
    this.soon(() => ({ day: this.#day, failure: this.#failure, missing: false }));
  }
}
