/** Agents are called otherwise, in whatever is held here. Where the directory takes a name away the hub sends a snapshot too. */

import type { Chat, Member, Message, Named } from 'umbler-hub-client';

export type Names = Map<string, string | null>;

export function namesOf(members: Member[]): Names {
  return new Map(members.map(({ id, name }) => [id, name]));
}

export function renamed<T extends Named | null>(agent: T, names: Names): T {
  return agent !== null && names.has(agent.id) ? { ...agent, name: names.get(agent.id) ?? null } : agent;
}

/** The same chat where nobody in it has another name. */
export function withNames(chat: Chat, names: Names): Chat {
  const isTouched = (chat.owner !== null && names.has(chat.owner.id)) || chat.members.some(({ id }) => names.has(id));
  if (!isTouched) return chat;
  return { ...chat, owner: renamed(chat.owner, names), members: chat.members.map((member) => renamed(member, names)) };
}

export function messageWithNames(message: Message, names: Names): Message {
  if (message.source !== 'Member' || message.author === null || !names.has(message.author.id)) return message;
  return { ...message, author: renamed(message.author, names) };
}

/**
 * What chats call their sectors, lines or tags, by id. A chat keeps the name that its own last delivery said, so where one
 * was renamed they differ: the chat that moved last is right. Moments are compared as text, which is exact to the second.
 */
export function newestNames(chats: Chat[], pick: (chat: Chat) => (Named | null)[]): Map<string, Named> {
  const found = new Map<string, { one: Named; at: string }>();
  for (const chat of chats) {
    const at = chat.lastActivityAt ?? '';
    for (const one of pick(chat)) {
      if (one === null) continue;
      const known = found.get(one.id);
      if (known === undefined || known.one.name === null || (one.name !== null && known.at <= at))
        found.set(one.id, { one, at });
    }
  }
  return new Map([...found].map(([id, { one }]) => [id, one]));
}
