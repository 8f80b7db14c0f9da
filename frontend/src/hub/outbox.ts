/** What goes out in one chat and is not among its messages yet, and whether the user may write there. */

import {
  HubError,
  sortKey,
  type Message,
  type OutboxEntry,
  type UmblerHubClient,
  type Update,
  type Writing,
} from 'umbler-hub-client';

import { hubTime, whenReached } from './clock.ts';
import { codeOf, isMissing, reasonOf } from './errors.ts';
import { inOrder } from './in-order.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export interface OutboxState {
  /** The first queued first. */
  entries: OutboxEntry[];
  /** Null while loading, and where the hub is of a version that does not send. */
  writing: Writing | null;
  /** Why it is not known whether the user may write; it is asked again and again. */
  failure: string | null;
}

/** The hub's time is known to within this: a question asked at the very end could still be told that the user may write. */
const WINDOW_MARGIN_MS = 500;
const RETRY_MS = 5000;

export class Outbox extends Store<OutboxState> {
  #client: UmblerHubClient;
  #entries = new Map<string, OutboxEntry>();
  #writing: Writing | null = null;
  #failure: string | null = null;
  #stops: (() => void)[] = [];
  #stopWaiting = () => {};
  #reading = 0;
  /** Entries that were told of since the newest question. */
  #meanwhile = new Set<string>();
  /** The id of a text whose answer did not come: sent again, it is one message. */
  #unanswered: { key: string; tempId: string } | null = null;
  /** Whose chat it is, as far as its page knows. */
  contactId: string | null = null;
  /** How often this person's data were erased meanwhile: what is held elsewhere of the chat is to be dropped, too. */
  erasures = 0;

  constructor(
    client: UmblerHubClient,
    readonly chat: string,
  ) {
    super({ entries: [], writing: null, failure: null });
    this.#client = client;
  }

  open() {
    this.#stops = [
      this.#client.on('umbler_update', (update) => this.#update(update)),
      onStream(this.#client, ({ missed }) => {
        if (missed) void this.load();
      }),
    ];
    void this.load();
  }

  close() {
    for (const stop of this.#stops) stop();
    // An answer that comes after this waits for nothing more.
    this.#reading += 1;
    this.#stopWaiting();
  }

  async load() {
    const reading = ++this.#reading;
    const meanwhile = new Set<string>();
    this.#meanwhile = meanwhile;
    try {
      const { outbox, writing } = await this.#client.get(`${this.#path}/outbox`);
      if (reading !== this.#reading) return;
      const entries = new Map((outbox as OutboxEntry[]).map((entry) => [entry.id, entry]));
      // What was told since the question is newer than the answer.
      for (const id of meanwhile) {
        const told = this.#entries.get(id);
        if (told === undefined) entries.delete(id);
        else entries.set(id, told);
      }
      this.#entries = entries;
      this.#writing = writing;
      this.#failure = null;
      this.#wake(writing.windowUntil);
    } catch (error) {
      if (reading !== this.#reading) return;
      // What is on its way, and whether one may write, stays as it was told last.
      this.#failure = isMissing(error) ? null : reasonOf(error);
      if (isMissing(error)) this.#writing = null;
      else
        setTimeout(() => {
          if (reading === this.#reading) void this.load();
        }, RETRY_MS);
    }
    this.#tell();
  }

  /** Queues a text. Null where it was taken, else why not. The entry is shown at once. */
  async send(text: string, isPrivate: boolean): Promise<string | null> {
    const key = `${isPrivate} ${text}`;
    const tempId = this.#unanswered?.key === key ? this.#unanswered.tempId : newId();
    this.#unanswered = { key, tempId };
    const at = new Date(hubTime()).toISOString();
    const shown: OutboxEntry = {
      id: tempId,
      tempId,
      chatId: this.chat,
      state: 'queued',
      text,
      private: isPrivate,
      prefix: null,
      sentBy: { id: '', name: null },
      queuedAt: at,
      attempts: 0,
      attemptedAt: null,
      changedAt: at,
      messageId: null,
      reason: null,
      detail: null,
    };
    this.#put(shown);
    try {
      await this.#client.send('POST', `${this.#path}/messages`, { text, tempId, private: isPrivate });
      this.#unanswered = null;
      // The update that tells of it may have been missed.
      if (this.#entries.has(tempId)) void this.load();
      return null;
    } catch (error) {
      this.#entries.delete(tempId);
      this.#meanwhile.add(tempId);
      this.#tell();
      const code = codeOf(error);
      if (error instanceof HubError && !error.temporary) this.#unanswered = null;
      if (code === 'window_closed' || code === 'chat_closed' || code === 'sending_off') void this.load();
      return reasonOf(error);
    }
  }

  /** Null where the hub did it, else why not. */
  async resend({ id }: OutboxEntry): Promise<string | null> {
    return this.#decide('POST', `${this.#entry(id)}/resend`);
  }

  async discard({ id }: OutboxEntry): Promise<string | null> {
    return this.#decide('DELETE', this.#entry(id));
  }

  async #decide(method: 'POST' | 'DELETE', path: string): Promise<string | null> {
    try {
      await this.#client.send(method, path);
      return null;
    } catch (error) {
      return reasonOf(error);
    } finally {
      // The answer may be older than what was told meanwhile.
      void this.load();
    }
  }

  get #path() {
    return `/api/umbler/chats/${encodeURIComponent(this.chat)}`;
  }

  #entry(id: string) {
    return `/api/umbler/outbox/${encodeURIComponent(id)}`;
  }

  #update(update: Update) {
    if (update.erasedContactId && update.erasedContactId === this.contactId) return this.#erase();
    if (update.outbox?.chatId === this.chat) return this.#put(update.outbox);
    if (update.chat?.id !== this.chat) return;
    const isWritten = update.message?.direction === 'in';
    const isClosed = update.chat.open === false;
    // The customer opens the 24 hours anew; a close, and a reopening, decide too.
    if (isWritten || isClosed !== (this.#writing?.refused === 'chat_closed')) void this.load();
    for (const message of [update.message, ...(update.otherMessages ?? [])]) this.#see(message);
  }

  /** The hub dropped what was queued and the words of the rest. What is held here goes at once, whatever the answer. */
  #erase() {
    this.erasures += 1;
    this.#unanswered = null;
    this.#entries = new Map();
    void this.load();
    this.#tell();
  }

  /** A message that the provider could not deliver after all is listed again. */
  #see(message: Message | undefined) {
    const entry = [...this.#entries.values()].find(({ messageId }) => messageId !== null && messageId === message?.id);
    if (entry !== undefined && entry.state === 'sent') void this.load();
  }

  #put(entry: OutboxEntry) {
    this.#meanwhile.add(entry.id);
    // What was shown at once has its own id until the hub told its.
    if (entry.id !== entry.tempId) {
      this.#entries.delete(entry.tempId);
      this.#meanwhile.add(entry.tempId);
    }
    if (entry.state === 'discarded') this.#entries.delete(entry.id);
    else this.#entries.set(entry.id, entry);
    this.#tell();
  }

  /** When the 24 hours are over, nothing tells it. */
  #wake(until: string | null) {
    this.#stopWaiting();
    if (until === null || Date.parse(until) <= hubTime()) return;
    this.#stopWaiting = whenReached(Date.parse(until) + WINDOW_MARGIN_MS, () => void this.load());
  }

  #tell() {
    const entries = [...this.#entries.values()].sort(
      (a, b) => inOrder(sortKey(a.queuedAt), sortKey(b.queuedAt)) || inOrder(a.id, b.id),
    );
    this.set({ entries, writing: this.#writing, failure: this.#failure });
  }
}

/** Also where the page is not of https, which has no `randomUUID`. */
function newId(): string {
  return Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) => byte.toString(16).padStart(2, '0')).join('');
}
