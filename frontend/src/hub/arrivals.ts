/**
 * How fresh the screen is: from the customer's phone to here, measured on the customers' messages that arrive live.
 *
 * Counted from the provider's time to the hub's: where one of the two clocks is wrong, so is the figure, and a figure below
 * zero says so. The clock of this computer does not count.
 */

import type { UmblerHubClient, Update } from 'umbler-hub-client';

import { Store } from './store.ts';

export interface Arrivals {
  /** The median of the newest messages, in milliseconds; null before there is one. */
  medianMs: number | null;
  lastMs: number | null;
  count: number;
}

const SAMPLES_MAX = 20;

export class ArrivalStore extends Store<Arrivals> {
  #client: UmblerHubClient;
  #samples: number[] = [];
  #replaying = 0;

  constructor(client: UmblerHubClient) {
    super({ medianMs: null, lastMs: null, count: 0 });
    this.#client = client;
    client.on('subscribed', ({ replayed }) => {
      // What was missed comes late by its nature.
      this.#replaying = replayed;
    });
    client.on('umbler_update', (update) => this.#update(update));
  }

  #update({ type, message }: Update) {
    if (this.#replaying > 0) {
      this.#replaying -= 1;
      return;
    }
    if (type !== 'new_message' || message?.source !== 'Contact') return;
    this.#samples = [...this.#samples, this.#client.hubTime() - Date.parse(message.at)].slice(-SAMPLES_MAX);
    const sorted = this.#samples.toSorted((a, b) => a - b);
    const medianMs = sorted[Math.floor(sorted.length / 2)] ?? null;
    this.soon(() => ({ medianMs, lastMs: this.#samples.at(-1) ?? null, count: this.#samples.length }));
  }
}
