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
  contactPhone: string | null;
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
  /** What updates took away since the page that is under way was asked for, which may still hold it. */
  #gone = new Set<string>();
  #erased = new Set<string>();

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
    this.#gone.clear();
    this.#erased.clear();
    try {
      const page = await this.#client.get('/api/umbler/search', {
        q: this.q,
        in: 'messages',
        limit: PAGE,
        cursor: this.#cursor ?? undefined,
      });
      this.#cursor = page.nextCursor.messages;
      this.#change({
        // What is shown may have lost some meanwhile.
        found: this.#left([...(this.get().found ?? []), ...(page.messages as Found[])]),
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
    const gone = [message, ...otherMessages].flatMap((told) => (told?.deleted ? [told.id] : []));
    if (erasedContactId) this.#erased.add(erasedContactId);
    else if (gone.length === 0) return;
    for (const id of gone) this.#gone.add(id);
    const { found } = this.get();
    if (found !== null) this.#change({ found: this.#left(found) });
  }

  #left(found: Found[]): Found[] {
    return found.filter(
      ({ message: { id, contactId } }) => !this.#gone.has(id) && !(contactId !== null && this.#erased.has(contactId)),
    );
  }

  #change(change: Partial<Finds>) {
    this.set({ ...this.get(), ...change });
  }
}
