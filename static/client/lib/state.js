// @ts-check
/**
 * The hub's state as far as this screen holds it: a snapshot at a position, and every update after it.
 *
 * # Contract
 *
 * 1. Snapshot at N plus updates equals a fresh snapshot, on the counters and on every item that both hold.
 * 2. An update is applied once: what is not after the position is dropped.
 * 3. `data` is a new object after every change and the same one while nothing changes.
 * 4. What an update does not tell (and a fresh snapshot would) makes the state `doubtful`, never silently wrong.
 */

import { erasedChat, erasedContact, erasedMessage } from './erased.js';
import { momentOf, tieOf } from './message-order.js';
import { OrderedList } from './ordered-list.js';

/** @import { Chat, Contact, Envelope, Member, Message, Named, Present, PresenceUpdate, Snapshot, SnapshotLimits, Stats, UmblerData, Update } from '../types.d.ts' */

/** What the hub sends where nothing is said. @type {Readonly<Required<SnapshotLimits>>} */
export const DEFAULT_LIMITS = Object.freeze({ contacts: 50, chats: 200, messages: 50 });

export class HubState {
  /** @type {OrderedList<Contact>} */ #contacts;
  /** @type {OrderedList<Chat>} */ #chats;
  /** @type {OrderedList<Message>} */ #messages;
  /** @type {Stats | null} */ #stats = null;
  /** Who is on which screen. @type {Present[]} */ #presence = [];
  /** The life of the journal that the counters count. @type {string | null} */ #statsEpoch = null;
  /** @type {number | null} */ #seq = null;
  /** @type {string | null} */ #epoch = null;
  /** @type {string | null} */ #scope = null;
  /** @type {UmblerData | null} */ #data = null;
  #current = false;
  #doubtful = false;
  /** @type {Required<SnapshotLimits>} */
  #limits = { ...DEFAULT_LIMITS };

  constructor() {
    ({ contacts: this.#contacts, chats: this.#chats, messages: this.#messages } = lists(this.#limits));
  }

  /** True while every update since the snapshot was applied. */
  get isCurrent() {
    return this.#current;
  }

  /** True where a fresh snapshot would tell what updates do not. */
  get isDoubtful() {
    return this.#doubtful || this.#lists.some((list) => list.isDepleted);
  }

  get limits() {
    return this.#limits;
  }

  /** @returns {UmblerData} */
  get data() {
    this.#data ??= {
      seq: this.#seq,
      epoch: this.#epoch,
      scope: this.#scope,
      stats: this.#stats,
      contacts: this.#contacts.items,
      chats: this.#chats.items,
      recentMessages: this.#messages.items,
      presence: this.#presence,
      truncated: ['contacts', 'chats', 'recentMessages'].filter((_, index) => this.#lists[index].truncated),
    };
    return this.#data;
  }

  /** Takes over a snapshot that was made with these limits. @param {Snapshot} snapshot @param {SnapshotLimits} limits */
  replace(snapshot, limits) {
    this.#limits = { ...DEFAULT_LIMITS, ...limits };
    ({ contacts: this.#contacts, chats: this.#chats, messages: this.#messages } = lists(this.#limits));
    const cut = new Set(snapshot.truncated);
    this.#contacts.replace(snapshot.contacts, cut.has('contacts'));
    this.#chats.replace(snapshot.chats, cut.has('chats'));
    this.#messages.replace(snapshot.recentMessages, cut.has('recentMessages'));
    // Counters may have come ahead of the snapshot.
    this.count(snapshot.stats, snapshot.epoch);
    this.#seq = snapshot.seq;
    this.#epoch = snapshot.epoch;
    this.#scope = snapshot.scope;
    this.#current = true;
    this.#doubtful = false;
    this.#data = null;
  }

  /** Applies an update. @param {Envelope<Update>} envelope @returns {boolean} true where it was new here */
  apply({ seq, data }) {
    if (!this.#current || this.#seq === null || seq === undefined || seq <= this.#seq) return false;
    this.#seq = seq;
    this.#data = null;
    if (data.type === 'chat_gone') this.#forgetChat(data);
    else this.#learn(data);
    if (data.members) this.#rename(data.members);
    if (data.erasedContactId) this.#erase(data.erasedContactId);
    return true;
  }

  /** Takes the counters, unless newer ones are known. @param {Stats} stats @param {string | null} epoch */
  count(stats, epoch) {
    if (this.#stats !== null && this.#statsEpoch === epoch && stats.asOfSeq < this.#stats.asOfSeq) return false;
    this.#stats = stats;
    this.#statsEpoch = epoch;
    this.#data = null;
    return true;
  }

  /** Takes who is there: everybody, or whose stay changed. @param {PresenceUpdate} update */
  meet({ full, users, left }) {
    const told = new Set([...left, ...users.map(({ id }) => id)]);
    this.#presence = [...(full ? [] : this.#presence.filter(({ id }) => !told.has(id))), ...users];
    this.#data = null;
  }

  /** Updates were missed: what is held stays visible, and is not touched until the next snapshot. */
  interrupt() {
    this.#current = false;
  }

  /** Updates after this position come again. @param {number} seq */
  rewind(seq) {
    if (this.#seq !== null && seq < this.#seq) this.#seq = seq;
  }

  /** Forgets everything: another user, or another hub. */
  clear() {
    ({ contacts: this.#contacts, chats: this.#chats, messages: this.#messages } = lists(this.#limits));
    this.#stats = this.#statsEpoch = this.#seq = this.#epoch = this.#scope = this.#data = null;
    this.#presence = [];
    this.#current = this.#doubtful = false;
  }

  get #lists() {
    return [this.#contacts, this.#chats, this.#messages];
  }

  /** @param {Update} update */
  #learn({ type, chat, contact, message, otherMessages, previous }) {
    // A chat that enters comes whole, but without its earlier messages. Whether these belong here is asked before the
    // update's own message, which may be the chat's last one, is put into the list.
    const last = type === 'chat_entered' ? chat?.lastMessage : null;
    const lacksEarlier = last && this.#messages.lacks(last.id, momentOf(last), tieOf(last));
    if (contact) this.#know(contact);
    if (chat) {
      if (chat.open) this.#chats.put(chat);
      else this.#chats.remove(chat.id);
      const { id, contactId } = chat;
      this.#messages.patch(
        (other) => other.chatId === id && other.contactId !== contactId,
        (other) => ({ ...other, contactId }),
      );
    }
    for (const learned of [message, ...(otherMessages ?? [])]) {
      if (learned) this.#messages.put(learned);
    }
    // A chat that changed hands took its messages along, and the contact it left is not in the update.
    if (previous?.contactId && this.#contacts.get(previous.contactId)) this.#doubtful = true;
    if (lacksEarlier) this.#doubtful = true;
    else if (last) this.#messages.hearOfMore();
  }

  /** The chat left what this user may see, and its contact too, where no other chat shows it. @param {Update} update */
  #forgetChat({ chat, contact, contactGone = true }) {
    if (chat) {
      this.#chats.remove(chat.id);
      this.#messages.removeWhere((message) => message.chatId === chat.id);
    }
    if (contact && contactGone) this.#contacts.remove(contact.id);
    else if (contact) this.#know(contact);
  }

  /** A person's data were erased. @param {string} id of the contact */
  #erase(id) {
    this.#contacts.patch((contact) => contact.id === id, erasedContact);
    this.#chats.patch(({ contactId }) => contactId === id, erasedChat);
    this.#messages.patch(({ contactId }) => contactId === id, erasedMessage);
  }

  /** Agents are called otherwise, wherever they stand. @param {Member[]} members */
  #rename(members) {
    const names = new Map(members.map(({ id, name }) => [id, name]));
    /** @param {Named} agent */
    const isStale = (agent) => names.has(agent.id) && names.get(agent.id) !== agent.name;
    /** @param {Named} agent @returns {Named} */
    const renamed = (agent) => {
      const name = isStale(agent) ? (names.get(agent.id) ?? null) : agent.name;
      // The provider may have a name for whoever is no longer in the directory; a snapshot tells.
      if (name === null && agent.name !== null) this.#doubtful = true;
      return { ...agent, name };
    };
    this.#chats.patch(
      ({ owner, members: people }) => Boolean(owner && isStale(owner)) || people.some(isStale),
      (chat) => ({ ...chat, owner: chat.owner && renamed(chat.owner), members: chat.members.map(renamed) }),
    );
    this.#messages.patch(
      ({ source, author }) => source === 'Member' && author !== null && isStale(author),
      (message) => ({ ...message, author: message.author && renamed(message.author) }),
    );
  }

  /** @param {Contact} contact */
  #know(contact) {
    this.#contacts.put(contact);
    const { id, name, phone } = contact;
    this.#chats.patch(
      (other) => other.contactId === id && (other.contactName !== name || other.contactPhone !== phone),
      (other) => ({ ...other, contactName: name, contactPhone: phone }),
    );
  }
}

/** @param {Required<SnapshotLimits>} limits */
function lists(limits) {
  return {
    contacts: new OrderedList((/** @type {Contact} */ contact) => contact.lastInteractionAt, limits.contacts),
    chats: new OrderedList((/** @type {Chat} */ chat) => chat.lastActivityAt, limits.chats),
    messages: new OrderedList((/** @type {Message} */ message) => momentOf(message), limits.messages, tieOf),
  };
}
