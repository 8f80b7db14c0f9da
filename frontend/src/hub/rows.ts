/** Chats that the hub lists by a filter: page after page as one scrolls, and kept current by updates. */

import { erasedChat, type Chat, type UmblerHubClient, type Update } from 'umbler-hub-client';

import { matches, type Filters } from '../chats/filters.ts';
import { reasonOf } from './errors.ts';
import { namesOf, withNames, type Names } from './names.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export interface Rows {
  chats: Chat[] | null;
  total: number | null;
  hasMore: boolean;
  failure: string | null;
}

const PAGE = 100;
const COUNT_MS = 1000;

export class RowStore extends Store<Rows> {
  #client: UmblerHubClient;
  #filters: Filters;
  #chats = new Map<string, Chat>();
  #cursor: string | null = null;
  #total: number | null = null;
  #busy = false;
  #reading = 0;
  /** What updates told since the page that is under way was asked for, which is older; null: it fits the filters no more. */
  #touched = new Map<string, Chat | null>();
  #renamed: Names = new Map();
  #loaded = false;
  #failure: string | null = null;
  #counting: ReturnType<typeof setTimeout> | null = null;
  #stop: (() => void) | null = null;

  constructor(client: UmblerHubClient, filters: Filters) {
    super({ chats: null, total: null, hasMore: false, failure: null });
    this.#client = client;
    this.#filters = filters;
  }

  open() {
    const stops = [
      this.#client.on('umbler_update', (update) => this.#update(update)),
      onStream(this.#client, ({ missed }) => {
        if (missed) this.#again();
        else if (this.#failure !== null) void this.more();
      }),
    ];
    this.#stop = () => {
      for (const stop of stops) stop();
    };
    void this.more();
  }

  close() {
    this.#stop?.();
    this.#stop = null;
  }

  /** The next page; again after a failure. */
  async more() {
    if (this.#busy || (this.#loaded && this.#cursor === null)) return;
    const reading = ++this.#reading;
    this.#busy = true;
    this.#touched.clear();
    this.#renamed.clear();
    try {
      const page = await this.#client.get('/api/umbler/chats', {
        ...queryOf(this.#filters),
        limit: PAGE,
        cursor: this.#cursor ?? undefined,
      });
      if (reading !== this.#reading) return;
      for (const chat of page.chats as Chat[]) this.#add(chat);
      this.#cursor = page.nextCursor;
      this.#total = page.total;
      this.#loaded = true;
      this.#failure = null;
    } catch (error) {
      if (reading !== this.#reading) return;
      this.#failure = reasonOf(error);
    }
    this.#busy = false;
    this.#tell();
  }

  /** A row of a page. What updates told of it is newer. */
  #add(row: Chat) {
    const newer = this.#touched.get(row.id);
    if (newer === null) return;
    if (newer !== undefined) this.#chats.set(row.id, withNames(newer, this.#renamed));
    else if (!this.#chats.has(row.id)) this.#chats.set(row.id, withNames(row, this.#renamed));
  }

  /** From the first page, whether or not one is under way. */
  #again() {
    this.#busy = false;
    this.#chats.clear();
    this.#cursor = null;
    this.#loaded = false;
    void this.more();
  }

  #update({ type, chat, members, erasedContactId }: Update) {
    if (erasedContactId) this.#erase(erasedContactId);
    if (members) {
      const names = namesOf(members);
      if (this.#busy) for (const [id, name] of names) this.#renamed.set(id, name);
      for (const [id, known] of this.#chats) this.#chats.set(id, withNames(known, names));
      this.#tell();
    }
    if (!chat) return;
    const known = this.#chats.has(chat.id);
    // Only the hub can say whether a chat that is new here matches a search: it looks at phones too.
    const fits = type !== 'chat_gone' && matches(chat, this.#filters);
    if (this.#busy) this.#touched.set(chat.id, fits ? chat : null);
    if (fits && (known || !this.#filters.search)) this.#chats.set(chat.id, chat);
    else if (!this.#chats.delete(chat.id)) return;
    this.#tell();
    this.#countAgain();
  }

  /** A page that is under way may still hold the name. */
  #erase(contactId: string) {
    for (const [id, chat] of this.#chats) if (chat.contactId === contactId) this.#chats.set(id, erasedChat(chat));
    this.#tell();
    if (this.#busy) this.#again();
  }

  /** A chat that is new here may be one of a page that was not read yet: only the hub can count. */
  #countAgain() {
    this.#counting ??= setTimeout(async () => {
      const { total } = await this.#client
        .get('/api/umbler/chats', { ...queryOf(this.#filters), limit: 1 })
        .catch(() => ({ total: this.#total }));
      this.#total = total;
      this.#counting = null;
      this.#tell();
    }, COUNT_MS);
  }

  #tell() {
    this.soon(() => ({
      chats: this.#loaded ? [...this.#chats.values()] : null,
      total: this.#total,
      hasMore: this.#cursor !== null,
      failure: this.#failure,
    }));
  }
}

/** The filters as the hub takes them. */
export function queryOf({
  status,
  sector,
  owner,
  channel,
  tag,
  kind,
  search,
}: Filters): Record<string, string | undefined> {
  return {
    status: status === 'all' ? undefined : status,
    sector: sector || undefined,
    owner: owner || undefined,
    channel: channel || undefined,
    tag: tag || undefined,
    kind: kind || undefined,
    search: search || undefined,
  };
}
