/** Chats as they stood at a moment, page after page, the latest created first. Nothing changes them but an erasure. */

import { erasedChat, type Chat, type UmblerHubClient } from 'umbler-hub-client';

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
  /** Whoever was erased since is erased in the past, too, and in the page that is under way. */
  #erased = new Set<string>();

  constructor(client: UmblerHubClient, filters: Filters, at: string) {
    super({ chats: null, total: null, hasMore: false, failure: null });
    this.#client = client;
    this.#query = { ...queryOf(filters), at };
  }

  /** Returns what ends it. */
  open(): () => void {
    return this.#client.on('umbler_update', ({ erasedContactId }) => {
      if (!erasedContactId) return;
      this.#erased.add(erasedContactId);
      const { chats } = this.get();
      this.#chats = this.#left(this.#chats);
      if (chats !== null) this.set({ ...this.get(), chats: this.#chats });
    });
  }

  #left(chats: Chat[]): Chat[] {
    return chats.map((chat) => (this.#erased.has(chat.contactId ?? '') ? erasedChat(chat) : chat));
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
        this.#chats = [...this.#chats, ...this.#left(page.chats)];
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
