/** Messages by their words: the hub's index finds them, page after page. */

import type { Message, UmblerHubClient, Update } from 'umbler-hub-client';

import { isMissing, reasonOf } from './errors.ts';
import { Store } from './store.ts';

export interface Piece {
  text: string;
  match: boolean;
}

export interface Found {
  message: Message;
  contactName: string | null;
  highlight: { text: Piece[]; cutBefore: boolean; cutAfter: boolean };
}

export interface Finds {
  found: Found[] | null;
  hasMore: boolean;
  busy: boolean;
  /** False while the index does not hold everything. */
  complete: boolean;
  missing: boolean;
  failure: string | null;
}

const PAGE = 50;
const NOTHING: Finds = { found: null, hasMore: false, busy: false, complete: true, missing: false, failure: null };

export class SearchStore extends Store<Finds> {
  #client: UmblerHubClient;
  #cursor: string | null = null;

  constructor(
    client: UmblerHubClient,
    readonly q: string,
  ) {
    super(NOTHING);
    this.#client = client;
  }

  /** The first page, the next one, or the same again after a failure. */
  async more() {
    const { busy, found, hasMore } = this.get();
    if (busy || (found !== null && !hasMore)) return;
    this.#change({ busy: true });
    try {
      const page = await this.#client.get('/api/umbler/search', {
        q: this.q,
        in: 'messages',
        limit: PAGE,
        cursor: this.#cursor ?? undefined,
      });
      this.#cursor = page.nextCursor.messages;
      this.#change({
        found: [...(found ?? []), ...page.messages],
        hasMore: this.#cursor !== null,
        busy: false,
        complete: page.complete,
        failure: null,
      });
    } catch (error) {
      this.#change(isMissing(error) ? { busy: false, missing: true } : { busy: false, failure: reasonOf(error) });
    }
  }

  /** Deleted messages, and those of a person whose data were erased, leave the finds that are on the screen. */
  learn({ message, otherMessages = [], erasedContactId }: Update) {
    if (erasedContactId) {
      const left = this.get().found?.filter((one) => one.message.contactId !== erasedContactId);
      if (left) this.#change({ found: left });
    }
    const gone = new Set([message, ...otherMessages].flatMap((told) => (told?.deleted ? [told.id] : [])));
    const { found } = this.get();
    if (found?.some(({ message: { id } }) => gone.has(id)))
      this.#change({ found: found.filter(({ message: { id } }) => !gone.has(id)) });
  }

  #change(change: Partial<Finds>) {
    this.set({ ...this.get(), ...change });
  }
}
