/** Who waits, the longest first, kept in order change by change: with fifty thousand of them sorting anew takes too long. */

import type { Chat } from 'umbler-hub-client';

import { compareWaiting, waitingOf, type Waiting } from './waits.ts';

export class WaitingList {
  #known = new Map<string, Waiting>();
  #sorted: Waiting[] = [];

  reset(chats: Iterable<Chat>) {
    this.#sorted = waitingOf([...chats]);
    this.#known = new Map(this.#sorted.map((one) => [one.id, one]));
  }

  put(chat: Chat) {
    this.drop(chat.id);
    const [waiting] = waitingOf([chat]);
    if (waiting === undefined) return;
    this.#known.set(chat.id, waiting);
    this.#sorted.splice(this.#place(waiting), 0, waiting);
  }

  drop(id: string) {
    const known = this.#known.get(id);
    if (known === undefined) return;
    this.#known.delete(id);
    this.#sorted.splice(this.#place(known), 1);
  }

  get all(): Waiting[] {
    return this.#sorted.slice();
  }

  /** Where it stands, or would. */
  #place(waiting: Waiting): number {
    let [low, high] = [0, this.#sorted.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      const there = this.#sorted[middle];
      if (there !== undefined && compareWaiting(there, waiting) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
