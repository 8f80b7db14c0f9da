/**
 * A hub without sockets: it holds everything, changes at random, and tells each change as the real one does. What a
 * screen should hold is read off it directly, by the slowest and plainest means.
 */

const START = Date.UTC(2026, 2, 2, 13);
const SECTORS = ['sales', 'support', null];
const OWNERS = ['ana', 'bia', null];
const AGENTS = ['ana', 'bia', 'caio'];

export class Model {
  seq = 0;
  epoch = 'model';
  scope = 'all';
  contacts = new Map();
  chats = new Map();
  messages = new Map();
  /** What agents are called. */
  names = new Map();
  /** Chats that this screen may not see. */
  hidden = new Set();
  #random;
  #ids = 0;
  #time = START;

  /** @param {boolean} isLimited the screen's user sees some chats only */
  constructor(random, isLimited) {
    this.#random = random;
    this.isLimited = isLimited;
  }

  /** Changes something and tells it; null where the screen may not see it. */
  step() {
    this.seq += 1;
    const random = this.#random;
    const acts = [
      [6, () => this.#says()],
      [1, () => this.#saysLate()],
      [3, () => this.#grows()],
      [2, () => this.#closesOrReopens()],
      [2, () => this.#changesChat()],
      [1, () => this.#changesContact()],
      [0.3, () => this.#changesHands()],
      [this.isLimited ? 0.7 : 0, () => this.#crossesScope()],
      [this.isLimited ? 0.5 : 0, () => this.#changesContactElsewhere()],
      [0.5, () => this.#namesAgents()],
      [0.5, () => this.#unrecognized()],
    ];
    let at = random.next() * acts.reduce((sum, [weight]) => sum + weight, 0);
    const chosen = acts.find(([weight]) => {
      at -= weight;
      return at < 0;
    });
    const [, act] = chosen ?? acts[0];
    const data = act() ?? this.#unrecognized();
    if (data === null || (data.chat && this.hidden.has(data.chat.id) && data.type !== 'chat_gone')) return null;
    return { event: 'umbler_update', seq: this.seq, timestamp: moment(this.#time), data };
  }

  /** What the hub would answer now. */
  snapshot(limits) {
    const lists = {
      contacts: this.truth('contacts'),
      chats: this.truth('chats'),
      recentMessages: this.truth('recentMessages'),
    };
    const limitOf = { contacts: limits.contacts, chats: limits.chats, recentMessages: limits.messages };
    const names = Object.keys(lists);
    const cut = Object.fromEntries(names.map((name) => [name, lists[name].slice(0, limitOf[name])]));
    const truncated = names.filter((name) => lists[name].length > limitOf[name]);
    return structuredClone({
      seq: this.seq,
      epoch: this.epoch,
      scope: this.scope,
      stats: this.stats(),
      ...cut,
      truncated,
    });
  }

  stats() {
    return {
      totalContacts: this.contacts.size,
      totalMessages: this.messages.size,
      totalChats: this.chats.size,
      openChats: this.truth('chats').length,
      waitingChats: 0,
      messagesToday: 0,
      asOfSeq: this.seq,
    };
  }

  /** Everything of a list that the screen may see, sorted. */
  truth(list) {
    const seen = [...this.chats.values()].filter((chat) => !this.hidden.has(chat.id));
    const ids = new Set(seen.map((chat) => chat.id));
    if (list === 'chats')
      return sorted(
        seen.filter((chat) => chat.open).map((chat) => this.#chat(chat)),
        'lastActivityAt',
      );
    if (list === 'recentMessages') {
      const messages = [...this.messages.values()].filter((message) => ids.has(message.chatId));
      return sorted(
        messages.map((message) => this.#message(message)),
        'at',
      );
    }
    const known = new Set(seen.map((chat) => chat.contactId));
    const contacts = [...this.contacts.values()].filter((contact) => known.has(contact.id));
    return sorted(
      contacts.map((contact) => this.#contact(contact)),
      'lastInteractionAt',
    );
  }

  #says() {
    const random = this.#random;
    this.#time += random.below(60_000);
    let chat = random.chance(0.7) ? this.#anyChat((known) => known.open) : undefined;
    const isNew = chat === undefined;
    chat ??= this.#newChat();
    const message = this.#newMessage(chat, this.#time);
    const types = isNew ? ['new_message', 'chat_opened'] : ['new_message'];
    return this.#update(types, chat, { message });
  }

  /** A delivery that comes hours late. */
  #saysLate() {
    const chat = this.#anyChat();
    if (!chat) return null;
    return this.#update(['new_message'], chat, {
      message: this.#newMessage(chat, this.#time - this.#random.below(7_200_000)),
    });
  }

  #grows() {
    const all = [...this.messages.values()];
    if (all.length === 0) return null;
    const message = this.#random.pick(all);
    if (this.#random.chance(0.5)) message.state = 'Read';
    else message.text = `edited at ${this.seq}`;
    return this.#update(['message_updated'], this.chats.get(message.chatId), { message });
  }

  #closesOrReopens() {
    const chat = this.#anyChat();
    if (!chat) return null;
    chat.open = !chat.open;
    chat.status = chat.open ? 'open' : 'closed';
    chat.closedAt = chat.open ? null : moment(this.#time);
    return this.#update([chat.open ? 'chat_reopened' : 'chat_closed'], chat);
  }

  #changesChat() {
    const chat = this.#anyChat();
    if (!chat) return null;
    const random = this.#random;
    const named = (id) => (id === null ? null : { id, name: null });
    if (random.chance(0.3)) chat.members = AGENTS.filter(() => random.chance(0.5)).map(named);
    else if (random.chance(0.5)) chat.owner = named(random.pick(OWNERS));
    else chat.sector = named(random.pick(SECTORS));
    return this.#update(['chat_transferred'], chat);
  }

  #changesContact() {
    const chat = this.#anyChat();
    if (!chat) return null;
    this.contacts.get(chat.contactId).name = `name ${this.seq}`;
    return this.#update(['contact_updated'], chat);
  }

  /** A chat turns out to belong to another contact. */
  #changesHands() {
    const chat = this.#anyChat();
    if (!chat) return null;
    const before = chat.contactId;
    chat.contactId = this.#random.pick([...this.contacts.keys()]);
    if (before === chat.contactId) return this.#update(['chat_updated'], chat);
    return this.#update(['chat_updated'], chat, { previous: { contactId: before } });
  }

  #crossesScope() {
    const chat = this.#anyChat(() => true, true);
    if (!chat) return null;
    if (this.hidden.delete(chat.id)) {
      // What brings it may be a message itself, on time or late.
      const late = this.#random.pick([0, 7_200_000]);
      const more = this.#random.chance(0.5)
        ? { message: this.#newMessage(chat, this.#time - this.#random.below(1 + late)) }
        : {};
      return this.#update(['chat_entered'], chat, more);
    }
    this.hidden.add(chat.id);
    const stays = this.#isSeen(chat.contactId);
    const contact = stays ? this.#contact(this.contacts.get(chat.contactId)) : { id: chat.contactId };
    return structuredClone({ ...this.#about(['chat_gone']), chat: { id: chat.id }, contact, contactGone: !stays });
  }

  /** Through a chat that the screen does not see, of a contact that it sees through another. */
  #changesContactElsewhere() {
    const chat = [...this.chats.values()].find(({ id, contactId }) => this.hidden.has(id) && this.#isSeen(contactId));
    if (!chat) return null;
    const contact = this.contacts.get(chat.contactId);
    contact.name = `name ${this.seq}`;
    return structuredClone({ ...this.#about(['contact_updated']), chat: null, contact: this.#contact(contact) });
  }

  #isSeen(contactId) {
    return [...this.chats.values()].some((chat) => chat.contactId === contactId && !this.hidden.has(chat.id));
  }

  /** The directory changes: for one agent, or for several at once. */
  #namesAgents() {
    const random = this.#random;
    const members = AGENTS.filter(() => random.chance(0.5)).map((id) => {
      const name = random.chance(0.9) ? `${id} ${this.seq}` : null;
      this.names.set(id, name);
      return { id, name, photoUrl: null, sectorId: null };
    });
    if (members.length === 0) return null;
    return { ...this.#about(['member_updated']), chat: null, contact: null, members };
  }

  /** As the directory has it. */
  #agent(agent) {
    return agent && { ...agent, name: this.names.get(agent.id) ?? null };
  }

  #unrecognized() {
    return { ...this.#about(['unrecognized']), chat: null, contact: null, reason: 'no such type' };
  }

  #update(types, chat, more = {}) {
    const message = more.message ? this.#message(more.message) : undefined;
    const contact = this.#contact(this.contacts.get(chat.contactId));
    return structuredClone({
      ...this.#about(types),
      chat: this.#chat(chat),
      contact,
      ...more,
      ...(message && { message }),
    });
  }

  #about(changes) {
    return { eventId: `event-${this.seq}`, type: changes[0], changes };
  }

  #anyChat(fits = () => true, hiddenToo = false) {
    const all = [...this.chats.values()].filter((chat) => fits(chat) && (hiddenToo || !this.hidden.has(chat.id)));
    return all.length === 0 ? undefined : this.#random.pick(all);
  }

  #newChat() {
    const random = this.#random;
    const known = [...this.contacts.keys()];
    const contactId = known.length > 0 && random.chance(0.3) ? random.pick(known) : this.#newContact();
    const id = `chat-${++this.#ids}`;
    const chat = {
      id,
      contactId,
      kind: 'direct',
      open: true,
      status: 'open',
      owner: null,
      members: [],
      sector: null,
      closedAt: null,
    };
    this.chats.set(id, chat);
    return chat;
  }

  #newContact() {
    const id = `contact-${++this.#ids}`;
    this.contacts.set(id, { id, name: this.#random.chance(0.8) ? `name of ${id}` : null, phone: null, tags: [] });
    return id;
  }

  #newMessage(chat, at) {
    const id = `message-${++this.#ids}`;
    // The hub writes a fraction of any length, or none; several messages share a moment.
    const message = {
      id,
      chatId: chat.id,
      at: moment(at - (at % (this.#random.chance(0.5) ? 1000 : 10))),
      text: `text of ${id}`,
      state: 'Sent',
      ...this.#sender(),
    };
    this.messages.set(id, message);
    return message;
  }

  /** A customer in a group may have the id of an agent, and keeps their own name. */
  #sender() {
    const author = { id: this.#random.pick(AGENTS), name: null };
    return this.#random.pick([
      { source: 'Contact', author: null },
      { source: 'Contact', author: { ...author, name: 'a customer' } },
      { source: 'Member', author },
    ]);
  }

  #newest(fits) {
    let newest = null;
    for (const message of this.messages.values()) {
      if (fits(message) && (newest === null || before(message, newest, 'at'))) newest = message;
    }
    return newest;
  }

  #chat(chat) {
    const lastMessage = this.#newest((message) => message.chatId === chat.id);
    const people = { owner: this.#agent(chat.owner), members: chat.members.map((agent) => this.#agent(agent)) };
    return {
      ...chat,
      ...people,
      contactName: this.contacts.get(chat.contactId).name,
      contactPhone: this.contacts.get(chat.contactId).phone,
      lastMessage,
      lastActivityAt: lastMessage?.at ?? null,
    };
  }

  #contact(contact) {
    const isOwn = (chat) => chat.contactId === contact.id && !this.hidden.has(chat.id);
    const own = new Set([...this.chats.values()].filter(isOwn).map((chat) => chat.id));
    const lastMessage = this.#newest((message) => own.has(message.chatId));
    return { ...contact, lastMessage, lastInteractionAt: lastMessage?.at ?? null };
  }

  #message(message) {
    const author = message.source === 'Member' ? this.#agent(message.author) : message.author;
    return { ...message, author, contactId: this.chats.get(message.chatId).contactId };
  }
}

/** As the hub writes it: no fraction where there is none, else as short as can be. */
function moment(ms) {
  return new Date(ms)
    .toISOString()
    .replace(/\.?0+Z$/, 'Z')
    .replace(/T(\d\d)Z$/, 'T$1:00:00Z')
    .replace(/T(\d\d):(\d\d)Z$/, 'T$1:$2:00Z');
}

/** Latest first; of one moment, the larger id. */
function before(a, b, key) {
  const [x, y] = [a[key] === null ? -1 : Date.parse(a[key]), b[key] === null ? -1 : Date.parse(b[key])];
  return x === y ? a.id > b.id : x > y;
}

function sorted(items, key) {
  return [...items].sort((a, b) => (before(a, b, key) ? -1 : 1));
}
