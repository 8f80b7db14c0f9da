/** The numbers of the live page, computed from every open chat. Direct chats alone count, as in the hub's counters. */

import type { Chat, Named } from 'umbler-hub-client';

export type Urgency = 'soon' | 'attention' | 'late';

/** From when a wait wants attention, and from when it is late. */
export const ATTENTION_MS = 5 * 60_000;
export const LATE_MS = 15 * 60_000;

export function urgencyOf(waitMs: number): Urgency {
  if (waitMs >= LATE_MS) return 'late';
  return waitMs >= ATTENTION_MS ? 'attention' : 'soon';
}

export interface Live {
  open: number;
  /** Open groups and internal chats. */
  indirect: number;
  inWaitingList: number;
  unassigned: number;
  /** Whose customer has no answer, the longest wait first. */
  waiting: Waiting[];
  sectors: Group[];
  agents: Group[];
}

export interface Waiting {
  chat: Chat;
  sinceMs: number;
}

export interface Group {
  key: string;
  /** None: the chats that have no sector, or nobody. */
  who: Named | null;
  open: number;
  waiting: number;
  oldestMs: number | null;
}

export function liveOf(chats: Chat[]): Live {
  const direct = chats.filter(({ kind }) => kind === 'direct');
  const waiting = direct
    .flatMap((chat) => (chat.waitingSince === null ? [] : [{ chat, sinceMs: Date.parse(chat.waitingSince) }]))
    .sort((a, b) => a.sinceMs - b.sinceMs || (a.chat.id < b.chat.id ? -1 : 1));
  return {
    open: direct.length,
    indirect: chats.length - direct.length,
    inWaitingList: direct.filter((chat) => chat.waiting).length,
    unassigned: direct.filter(({ owner }) => owner === null).length,
    waiting,
    sectors: groups(direct, (chat) => chat.sector),
    agents: groups(direct, (chat) => chat.owner),
  };
}

/** By name, nobody last: an order that does not jump while numbers change. */
function groups(chats: Chat[], of: (chat: Chat) => Named | null): Group[] {
  const found = new Map<string, Group>();
  for (const chat of chats) {
    const who = of(chat);
    const key = who?.id ?? '';
    const group = found.get(key) ?? { key, who, open: 0, waiting: 0, oldestMs: null };
    group.open += 1;
    group.who = who;
    if (chat.waitingSince !== null) {
      group.waiting += 1;
      group.oldestMs = Math.min(group.oldestMs ?? Infinity, Date.parse(chat.waitingSince));
    }
    found.set(key, group);
  }
  const name = ({ who, key }: Group) => who?.name ?? key;
  return [...found.values()].sort((a, b) => Number(a.who === null) - Number(b.who === null) || name(a).localeCompare(name(b)));
}
