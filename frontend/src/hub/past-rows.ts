/** Chats as they stood at a moment, page after page, the latest created first. Nothing changes them. */

import type { Chat, UmblerHubClient } from 'umbler-hub-client';

import type { Filters } from '../chats/filters.ts';
import { reasonOf } from './errors.ts';
import { queryOf, type Rows } from './rows.ts';
import { Store } from './store.ts';

const PAGE = 100;
/** A page of the past may be empty and not be the last. */
const EMPTY_MAX = 20;

export class PastRowStore extends Store<Rows> {
  #client: UmblerHubClient;
  #query: Record<string, string | number | undefined>;
  #chats: Chat[] = [];
  #cursor: string | null = null;
  #loaded = false;
  #busy = false;

  constructor(client: UmblerHubClient, filters: Filters, at: string) {
    super({ chats: null, total: null, hasMore: false, failure: null });
    this.#client = client;
    this.#query = { ...queryOf(filters), at };
  }

  /** The next page that holds anything; again after a failure. */
  async more() {
    if (this.#busy || (this.#loaded && this.#cursor === null)) return;
    this.#busy = true;
    let failure: string | null = null;
    try {
      for (let left = EMPTY_MAX; left > 0; left -= 1) {
        const page: { chats: Chat[]; nextCursor: string | null } = await this.#client.get('/api/umbler/chats', {
          ...this.#query,
          limit: PAGE,
          cursor: this.#cursor ?? undefined,
        });
        this.#chats = [...this.#chats, ...page.chats];
        this.#cursor = page.nextCursor;
        this.#loaded = true;
        if (page.chats.length > 0 || page.nextCursor === null) break;
      }
    } catch (error) {
      failure = reasonOf(error);
    }
    this.#busy = false;
    const isWhole = this.#loaded && this.#cursor === null;
    this.set({
      chats: this.#loaded ? this.#chats : null,
      total: isWhole ? this.#chats.length : null,
      hasMore: this.#cursor !== null,
      failure,
    });
  }
}
