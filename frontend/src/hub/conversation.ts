/** One chat as it grows: its messages, the contact, and what the chat itself is now. */

import {
  compareMessages,
  erasedChat,
  erasedContact,
  erasedMessage,
  type Chat,
  type Contact,
  type Member,
  type Message,
  type UmblerHubClient,
  type Update,
} from 'umbler-hub-client';

import { isMissing, reasonOf } from './errors.ts';
import { messageWithNames, namesOf, withNames, type Names } from './names.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export interface ConversationState {
  chat: Chat | null;
  contact: Contact | null;
  /** Oldest first; null while loading. */
  messages: Message[] | null;
  /** There are older ones on the hub. */
  hasOlder: boolean;
  loadingOlder: boolean;
  failure: string | null;
  /** The hub has no such chat, or none at that moment. */
  unknown: boolean;
  /** It left what the token may see. */
  gone: boolean;
}

/** What updates told since the chat is being read: the answer is older. */
interface Meanwhile {
  /** They told of the chat itself. */
  chat: boolean;
  messages: Set<string>;
  contacts: Map<string, Contact>;
  names: Names;
}

type Follow = (listener: (update: Update) => void) => () => void;

const PAGE = 50;
/** A chat with more messages than that is read on by hand. */
const REACH_PAGES_MAX = 40;
const NOTHING: ConversationState = {
  chat: null,
  contact: null,
  messages: null,
  hasOlder: false,
  loadingOlder: false,
  failure: null,
  unknown: false,
  gone: false,
};

export class Conversation extends Store<ConversationState> {
  #client: UmblerHubClient;
  #path: string;
  #cursor: string | null = null;
  #known = new Map<string, Message>();
  #state = NOTHING;
  #stops: (() => void)[] = [];

  #follow: Follow | null;
  #reading = 0;
  #isReading = false;
  #meanwhile = nothingYet();
  #erasures = 0;

  /** `at`: as it was then; it grows where it is followed on from there. */
  constructor(
    client: UmblerHubClient,
    readonly id: string,
    readonly at: string | null = null,
    follow: Follow | null = null,
  ) {
    super(NOTHING);
    this.#client = client;
    this.#follow = follow;
    this.#path = `/api/umbler/chats/${encodeURIComponent(id)}`;
  }

  open() {
    if (this.at !== null) {
      this.#stops = [
        ...(this.#follow === null ? [] : [this.#follow((update) => this.#update(update))]),
        // Who is erased now is erased in the past, too.
        this.#client.on('umbler_update', ({ erasedContactId }) => {
          if (erasedContactId) this.#erase(erasedContactId);
        }),
      ];
      return void this.load();
    }
    this.#stops = [
      this.#client.on('umbler_update', (update) => this.#update(update)),
      onStream(this.#client, ({ missed }) => {
        if (missed || this.#state.failure !== null) void this.load();
      }),
    ];
    void this.load();
  }

  /** What was written at the moment itself was there. */
  get #until(): string | undefined {
    return this.at === null ? undefined : new Date(Date.parse(this.at) + 1).toISOString();
  }

  close() {
    for (const stop of this.#stops) stop();
    this.#stops = [];
  }

  async load() {
    const reading = ++this.#reading;
    // How it stood at a moment is older than whatever was played; how it stands now, only than what comes from now on.
    if (this.at === null) this.#meanwhile = nothingYet();
    const { messages, contacts, names } = this.#meanwhile;
    this.#isReading = true;
    /** Another reading took its place, or the chat went out of sight. */
    const isOver = () => reading !== this.#reading || (this.#meanwhile.chat && this.#state.gone);
    try {
      const [answer, page] = await Promise.all([
        this.#client.get(this.#path, { at: this.at ?? undefined }),
        this.#client.get(`${this.#path}/messages`, { limit: PAGE, until: this.#until }),
      ]);
      if (isOver()) return;
      const { contactId } = answer.chat as Chat;
      const { contact } = contactId === null ? { contact: null } : await this.#contact(contactId);
      if (isOver()) return;
      for (const message of page.messages as Message[])
        if (!messages.has(message.id)) this.#known.set(message.id, messageWithNames(message, names));
      this.#cursor = page.nextCursor;
      const chat = this.#meanwhile.chat ? this.#state.chat : withNames(answer.chat, names);
      const newer = contacts.get(chat?.contactId ?? '');
      this.#change({
        chat,
        contact: newer ?? contact,
        hasOlder: page.nextCursor !== null,
        failure: null,
        gone: false,
        unknown: false,
        messages: this.#sorted(),
      });
    } catch (error) {
      if (isOver()) return;
      this.#change({
        failure: this.at !== null && isMissing(error) ? null : reasonOf(error),
        unknown: isMissing(error),
      });
    } finally {
      if (reading === this.#reading) this.#isReading = false;
    }
  }

  async older(): Promise<void> {
    if (this.#cursor === null || this.#state.loadingOlder) return;
    const [reading, erasures] = [this.#reading, this.#erasures];
    this.#change({ loadingOlder: true });
    try {
      const page = await this.#client.get(`${this.#path}/messages`, {
        limit: PAGE,
        until: this.#until,
        cursor: this.#cursor,
      });
      if (reading !== this.#reading || this.#state.gone) return this.#change({ loadingOlder: false });
      if (erasures !== this.#erasures) {
        // The page may still hold the texts of the person.
        this.#change({ loadingOlder: false });
        return await this.older();
      }
      for (const message of page.messages as Message[])
        if (!this.#known.has(message.id)) this.#known.set(message.id, message);
      this.#cursor = page.nextCursor;
      this.#change({
        loadingOlder: false,
        hasOlder: page.nextCursor !== null,
        messages: this.#sorted(),
        failure: null,
      });
    } catch (error) {
      this.#change({ loadingOlder: false, failure: reasonOf(error) });
    }
  }

  /** Reads older pages until this message is among them. */
  async reach(id: string) {
    for (let left = REACH_PAGES_MAX; left > 0 && !this.#known.has(id); left -= 1) {
      const before = this.#cursor;
      await this.older();
      // The end, a failure, or another reading.
      if (this.#cursor === before) return;
    }
  }

  /** A contact may be out of reach where its chat is not. */
  async #contact(id: string): Promise<{ contact: Contact | null }> {
    return this.#client.get(`/api/umbler/contacts/${encodeURIComponent(id)}`).catch(() => ({ contact: null }));
  }

  #update(update: Update) {
    const { type, chat, contact, message, otherMessages = [], members } = update;
    if (members) this.#rename(members);
    if (update.erasedContactId) this.#erase(update.erasedContactId);
    if (contact && !update.contactGone && this.#isReading) this.#meanwhile.contacts.set(contact.id, contact);
    if (chat?.id !== this.id) {
      if (contact && contact.id === this.#state.contact?.id && !update.contactGone) this.#change({ contact });
      return;
    }
    this.#meanwhile.chat = true;
    if (type === 'chat_gone') {
      this.#known.clear();
      this.#change({
        chat: null,
        contact: null,
        messages: [],
        hasOlder: false,
        failure: null,
        unknown: false,
        gone: true,
      });
      return;
    }
    for (const each of [message, ...otherMessages]) {
      if (!each) continue;
      this.#known.set(each.id, each);
      this.#meanwhile.messages.add(each.id);
    }
    const messages = this.#state.messages === null ? null : this.#sorted();
    this.#change({ chat, contact: contact ?? this.#state.contact, messages, gone: false, unknown: false });
  }

  #rename(members: Member[]) {
    const names = namesOf(members);
    if (this.#isReading) for (const [id, name] of names) this.#meanwhile.names.set(id, name);
    for (const [id, message] of this.#known) this.#known.set(id, messageWithNames(message, names));
    const { chat, messages } = this.#state;
    this.#change({ chat: chat && withNames(chat, names), messages: messages && this.#sorted() });
  }

  #erase(contactId: string) {
    const { chat, contact, messages } = this.#state;
    this.#erasures += 1;
    const told = this.#meanwhile.contacts.get(contactId);
    if (told) this.#meanwhile.contacts.set(contactId, erasedContact(told));
    // What is being read may still hold the name and the texts.
    if (this.#isReading) void this.load();
    if (chat?.contactId !== contactId) return;
    for (const [id, message] of this.#known) this.#known.set(id, erasedMessage(message));
    this.#change({
      chat: erasedChat(chat),
      contact: contact && erasedContact(contact),
      messages: messages && this.#sorted(),
    });
  }

  #sorted(): Message[] {
    return [...this.#known.values()].sort(compareMessages);
  }

  #change(change: Partial<ConversationState>) {
    this.#state = { ...this.#state, ...change };
    this.set(this.#state);
  }
}

function nothingYet(): Meanwhile {
  return { chat: false, messages: new Set(), contacts: new Map(), names: new Map() };
}
