/**
 * Up to when somebody has looked at each chat: what came later is unread. Kept in this browser for each user, through page
 * loads; ids and moments, no names and no words. Whoever is erased leaves it.
 */

import { momentOf, sortKey, type Chat, type MessageSummary, type UmblerHubClient } from 'umbler-hub-client';
import { forBrowser } from 'umbler-hub-client/storage';

import { inOrder } from './in-order.ts';
import { Store } from './store.ts';

interface Look {
  /** The place of the last message that was seen, as text that sorts. */
  until: string;
  /** Whose chat it is. */
  contactId: string | null;
}

/** What one user has looked at. */
export interface Looked {
  /** Chats that are not named were looked at until then: this browser knew nothing of the user before, or has forgotten it. */
  since: string;
  chats: ReadonlyMap<string, Look>;
}

type Users = ReadonlyMap<string, Looked>;
/** As it is stored: text is all that a browser keeps. */
type Written = [user: string, since: string, chats: [chat: string, until: string, contactId: string | null][]][];

const KEY = 'umbler-hub-looked';
/** Of one user. Those that were quiet the longest make room: what is older than them counts as looked at. */
export const CHATS_MAX = 500;
/** Of one browser. Whoever was there the longest ago makes room. */
export const USERS_MAX = 5;

/** Null while it is not known who looks. Where the browser keeps nothing, it is known as long as the page lives. */
export class LookedStore extends Store<Looked | null> {
  #client: UmblerHubClient;
  #user: string | null = null;
  #users: Users = new Map();

  constructor(client: UmblerHubClient) {
    super(null);
    this.#client = client;
    client.on('subscribed', () => this.#begin());
    client.on('umbler_update', ({ erasedContactId }) => {
      if (erasedContactId) this.#erase(erasedContactId);
    });
    client.on('status', (status) => {
      if (status !== 'unauthorized') return;
      this.#user = null;
      this.set(null);
    });
    this.#begin();
    // Another tab looked, or was told of an erasure.
    if (typeof window !== 'undefined')
      window.addEventListener('storage', ({ key }) => {
        if (key === KEY) this.#show(this.#read());
      });
  }

  /** The user sees this message of the chat, and so all before it. */
  see({ id, contactId }: Pick<Chat, 'id' | 'contactId'>, until: string) {
    const user = this.#user;
    if (user === null) return;
    const users = this.#read();
    const mine = users.get(user) ?? this.#beginning();
    if (until <= lookedUntil(mine, id)) return;
    const chats = new Map(mine.chats).set(id, { until, contactId });
    this.#write(new Map(users).set(user, bounded({ since: mine.since, chats })));
  }

  #begin() {
    const { hello, user } = this.#client;
    if (hello === null || (hello.authRequired && user === null)) return;
    const id = user?.id ?? '';
    if (id === this.#user) return;
    this.#user = id;
    const users = new Map(this.#read());
    const mine = users.get(id) ?? this.#beginning();
    // Behind all others: whoever was here last is the last to make room.
    users.delete(id);
    this.#write(users.set(id, mine));
  }

  /** What was written before anybody could look is no news. */
  #beginning(): Looked {
    return { since: sortKey(new Date(this.#client.hubTime()).toISOString()), chats: new Map() };
  }

  #erase(contactId: string) {
    const users = this.#read();
    const isTheirs = (look: Look) => look.contactId === contactId;
    if (![...users.values()].some(({ chats }) => [...chats.values()].some(isTheirs))) return;
    const left = ({ since, chats }: Looked): Looked => ({
      since,
      chats: new Map([...chats].filter(([, look]) => !isTheirs(look))),
    });
    this.#write(new Map([...users].map(([user, one]) => [user, left(one)])));
  }

  /** Other tabs write there too, so it is looked up each time. */
  #read(): Users {
    return kept() ?? this.#users;
  }

  #write(users: Users) {
    const written: Written = [...users]
      .slice(-USERS_MAX)
      .map(([user, { since, chats }]) => [
        user,
        since,
        [...chats].map(([chat, { until, contactId }]) => [chat, until, contactId]),
      ]);
    forBrowser.setItem(KEY, JSON.stringify(written));
    this.#show(users);
  }

  #show(users: Users) {
    this.#users = users;
    if (this.#user !== null) this.set(users.get(this.#user) ?? this.#beginning());
  }
}

/** Text that sorts: what is written later was not looked at. */
export function lookedUntil({ since, chats }: Looked, chat: string): string {
  const until = chats.get(chat)?.until ?? '';
  return until > since ? until : since;
}

/** The place of a message among those of its chat. */
export function placeOf(message: Pick<MessageSummary, 'id' | 'at' | 'createdAt'>): string {
  return sortKey(momentOf(message));
}

/** Its last message was not looked at, and nobody of the team wrote it: a bot's answer leaves unread what the customer wrote. */
export function isUnread(looked: Looked | null, { id, lastMessage }: Pick<Chat, 'id' | 'lastMessage'>): boolean {
  if (looked === null || lastMessage === null) return false;
  if (lastMessage.direction === 'out' && lastMessage.source !== 'Bot') return false;
  return placeOf(lastMessage) > lookedUntil(looked, id);
}

function bounded({ since, chats }: Looked): Looked {
  if (chats.size <= CHATS_MAX) return { since, chats };
  const [oldest, ...left] = [...chats].sort((a, b) => inOrder(a[1].until, b[1].until));
  const until = oldest?.[1].until ?? '';
  return { since: until > since ? until : since, chats: new Map(left) };
}

/** What this browser holds, whatever another page wrote there; null: nothing that can be read. */
function kept(): Users | null {
  try {
    const written = JSON.parse(forBrowser.getItem(KEY) ?? 'null') as Written;
    return new Map(
      written.map(([user, since, chats]) => [
        user,
        { since, chats: new Map(chats.map(([chat, until, contactId]) => [chat, { until, contactId }])) },
      ]),
    );
  } catch {
    return null;
  }
}
