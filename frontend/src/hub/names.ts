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
