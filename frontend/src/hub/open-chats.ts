/**
 * Every open chat, also where a snapshot holds only the newest 200: the rest is paged through REST, so that no number
 * on the screen counts a part only. Kept current by updates from then on.
 *
 * An update is newer than a page that was asked for before it came, so it wins; what moved or closed while pages were
 * read has an update. The hub's own counter is the check: where it differs twice, everything is read again.
 */

import {
  erasedChat,
  type Chat,
  type Member,
  type Snapshot,
  type Stats,
  type UmblerData,
  type UmblerHubClient,
  type Update,
} from 'umbler-hub-client';

import { byActivity } from '../chats/filters.ts';
import { compareWaiting, waitingOf, type Waiting } from './waits.ts';
import { reasonOf } from './errors.ts';
import { namesOf, withNames } from './names.ts';
import { read } from './reads.ts';
import { SortedList } from './sorted-list.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export interface OpenChats {
  /** The latest activity first. */
  chats: Chat[];
  /** Whose customer has no answer, the longest wait first. */
  waiting: Waiting[];
  /** False while a part is still being read: then no number may be shown as the whole. */
  complete: boolean;
  total: number | null;
  /** How many of them were read so far, while they are. */
  count: number;
  failure: string | null;
}

const PAGE = 200;
const RETRY_MS = 1500;
/** The hub's counter may be ahead for a moment; reading everything again is not free. */
const MISMATCHES_MAX = 2;

export class OpenChatStore extends Store<OpenChats> {
  #chats = new SortedList(byActivity);
  #waiting = new SortedList(compareWaiting);
  /** Chats that updates spoke of since the pages are being read. */
  #touched = new Set<string>();
  #complete = false;
  #total: number | null = null;
  #count = 0;
  #failure: string | null = null;
  /** What was missed is not replayed: only a snapshot tells. */
  #lost = true;
  #reading = 0;
  #isReading = false;
  #seq = 0;
  #mismatches = 0;

  constructor(client: UmblerHubClient) {
    super({ chats: [], waiting: [], complete: false, total: null, count: 0, failure: null });
    // Updates beyond the snapshot may have come before it; what the client holds has them.
    client.on('umbler_data', (snapshot) => this.#snapshot(snapshot, client.data));
    client.on('umbler_update', (update, { seq }) => this.#update(update, seq ?? 0));
    client.on('umbler_stats', (stats) => this.#check(stats));
    onStream(client, ({ missed }) => {
      if (missed) this.#lost = true;
      // Where a token ended all was forgotten here, and what came since is no list.
      else if (!this.#complete && !this.#isReading) void client.requestUmblerData();
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.#forget();
    });
  }

  /** One of them, where it is known here. */
  find(id: string): Chat | null {
    return this.#chats.get(id) ?? null;
  }

  #snapshot({ stats, seq }: Snapshot, { chats, truncated }: UmblerData) {
    this.#seq = Math.max(this.#seq, seq);
    if (!truncated.includes('chats')) {
      this.#reading += 1;
      this.#chats.reset(chats);
      this.#settle();
    } else if (this.#lost || !this.#complete) {
      this.#total = stats.openChats;
      void this.#read();
    } else {
      for (const chat of chats) this.#put(chat);
      this.#tell();
    }
  }

  /** All pages, in an order that activity does not change. */
  async #read() {
    const reading = ++this.#reading;
    const found = new Map<string, Chat>();
    this.#touched.clear();
    this.#isReading = true;
    this.#complete = false;
    this.#failure = null;
    let cursor: string | undefined;
    do {
      try {
        const page = await read('/api/umbler/chats', { status: 'open', limit: PAGE, sort: 'createdAt', cursor });
        if (reading !== this.#reading) return;
        for (const chat of page.chats as Chat[]) {
          if (!this.#touched.has(chat.id)) found.set(chat.id, chat);
        }
        cursor = page.nextCursor ?? undefined;
        this.#total = page.total;
        this.#count = found.size;
        this.#failure = null;
        this.#tell();
      } catch (error) {
        if (reading !== this.#reading) return;
        this.#failure = reasonOf(error);
        this.#tell();
        await new Promise((resolve) => setTimeout(resolve, RETRY_MS));
        if (reading !== this.#reading) return;
      }
    } while (cursor !== undefined || this.#failure !== null);
    for (const id of this.#touched) {
      const chat = this.#chats.get(id);
      if (chat) found.set(id, chat);
      else found.delete(id);
    }
    this.#chats.reset(found.values());
    this.#settle();
  }

  #settle() {
    this.#isReading = false;
    this.#complete = true;
    this.#resetWaiting();
    this.#lost = false;
    this.#failure = null;
    this.#mismatches = 0;
    this.#tell();
  }

  #update({ type, chat, members, erasedContactId }: Update, seq: number) {
    this.#seq = Math.max(this.#seq, seq);
    if (erasedContactId) this.#erase(erasedContactId);
    if (members) this.#rename(members);
    if (!chat) return;
    this.#touched.add(chat.id);
    if (type !== 'chat_gone' && chat.open) this.#put(chat);
    else {
      this.#chats.drop(chat.id);
      this.#waiting.drop(chat.id);
    }
    this.#tell();
  }

  #put(chat: Chat) {
    this.#chats.put(chat);
    const [waiting] = waitingOf([chat]);
    if (waiting === undefined) this.#waiting.drop(chat.id);
    else this.#waiting.put(waiting);
  }

  #resetWaiting() {
    this.#waiting.reset(waitingOf(this.#chats.all));
  }

  #rename(members: Member[]) {
    const names = namesOf(members);
    this.#chats.reset(this.#chats.all.map((chat) => withNames(chat, names)));
    this.#resetWaiting();
    // A page that was read before knows the old names.
    if (!this.#complete) void this.#read();
    this.#tell();
  }

  #erase(contactId: string) {
    this.#chats.reset(this.#chats.all.map((chat) => (chat.contactId === contactId ? erasedChat(chat) : chat)));
    this.#resetWaiting();
    // A page that was read before knows the name.
    if (!this.#complete) void this.#read();
    this.#tell();
  }

  #check({ openChats, asOfSeq }: Stats) {
    if (!this.#complete || asOfSeq !== this.#seq) return;
    const direct = this.#chats.all.filter(({ kind }) => kind === 'direct').length;
    this.#mismatches = direct === openChats ? 0 : this.#mismatches + 1;
    if (this.#mismatches >= MISMATCHES_MAX) void this.#read();
  }

  /** Another user may sign in next. */
  #forget() {
    this.#reading += 1;
    this.#chats.reset([]);
    this.#waiting.reset([]);
    this.#isReading = false;
    this.#complete = false;
    this.#lost = true;
    this.#tell();
  }

  #tell() {
    this.soon(() => ({
      chats: this.#chats.all,
      waiting: this.#waiting.all,
      complete: this.#complete,
      total: this.#total,
      count: this.#count,
      failure: this.#failure,
    }));
  }
}
