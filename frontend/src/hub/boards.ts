/**
 * The live metrics as the hub pushes them: whole at first, then the cells that changed. Nothing is asked for and nothing
 * is computed here; at a hundred deliveries a second ten frames come.
 */

import type { UmblerHubClient } from 'umbler-hub-client';

import type { LiveRow } from '../live/waits.ts';
import { Store } from './store.ts';

export interface Board {
  rows: LiveRow[];
  rebuilding: { done: number; total: number } | null;
}

interface Part<T> {
  rows: T[];
  gone: (string | null)[];
}

interface Frame {
  channel: string;
  full: boolean;
  rebuilding: Board['rebuilding'];
  live: Part<Partial<LiveRow>>;
}

export const BOARDS = ['metrics:live', 'metrics:sectors', 'metrics:agents'] as const;
export type BoardName = (typeof BOARDS)[number];

/** Null until the hub has told all of it. */
export class BoardStore extends Store<Board | null> {
  #rows = new Map<string | null, LiveRow>();
  #known = false;
  #rebuilding: Board['rebuilding'] = null;

  constructor(client: UmblerHubClient, name: BoardName) {
    super(null);
    client.on('*', (data, { event }) => {
      if (event === 'metrics_update' && data.channel === name) this.#take(data);
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.forget();
    });
  }

  #take({ full, rebuilding, live }: Frame) {
    if (full) this.#rows.clear();
    // What came before is not known: the cells are of rows that are not here.
    else if (!this.#known) return;
    this.#known = true;
    this.#rebuilding = rebuilding;
    for (const row of live.rows) {
      const key = row.id ?? null;
      this.#rows.set(key, { ...this.#rows.get(key), ...row } as LiveRow);
    }
    for (const key of live.gone) this.#rows.delete(key);
    this.soon(() => (this.#known ? { rows: [...this.#rows.values()], rebuilding: this.#rebuilding } : null));
  }

  /** What is followed no more grows old. */
  forget() {
    this.#known = false;
    this.#rows.clear();
    this.set(null);
  }
}
