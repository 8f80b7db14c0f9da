/**
 * The live metrics as the hub pushes them. Nothing is asked for and nothing is computed here; at a hundred deliveries a
 * second ten frames come.
 */

import type { Metrics, UmblerHubClient } from 'umbler-hub-client';

import { Store } from './store.ts';

export const BOARDS = ['metrics:live', 'metrics:sectors', 'metrics:agents'] as const;
export type BoardName = (typeof BOARDS)[number];

/** Null until the hub has told all of it. */
export class BoardStore extends Store<Metrics | null> {
  constructor(client: UmblerHubClient, name: BoardName) {
    super(null);
    client.on('metrics', ({ channel }) => {
      if (channel === name) this.soon(() => client.metrics(name));
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.set(null);
    });
  }
}
