/** The numbers of the live page: as the hub's metrics tell them, or read off every open chat. Direct chats alone count. */

import type { Chat, MessageSummary, Named } from 'umbler-hub-client';

import { newestNames } from './names.ts';

export type Urgency = 'soon' | 'attention' | 'late';

/** From when a wait of a sector wants attention, and from when it is late; null: never. */
export interface Limits {
  attentionMs: number | null;
  lateMs: number | null;
}

export type LimitsOf = (sector: string | null | undefined) => Limits;

export function urgencyOf(waitMs: number, { attentionMs, lateMs }: Limits): Urgency {
  if (lateMs !== null && waitMs >= lateMs) return 'late';
  return attentionMs !== null && waitMs >= attentionMs ? 'attention' : 'soon';
}

/** So long a wait that has just become late is new. */
const NEW_MS = 60_000;

/** It became late within the last minute: after that its edge and its time tell it, or nothing would stand out. */
export function isNewlyLate(waitMs: number, { lateMs }: Limits): boolean {
  return lateMs !== null && waitMs >= lateMs && waitMs < lateMs + NEW_MS;
}

/** The numbers of a moment, of direct chats. */
export interface Figures {
  open: number;
  /** Open groups and internal chats; null where that is not told. */
  indirect: number | null;
  inWaitingList: number;
  unassigned: number;
  /** How many wait for an answer. */
  unanswered: number;
  longestSince: number | null;
  /** The mean of the beginnings. */
  averageSince: number | null;
}

/** Somebody whose customer has no answer. */
export interface Waiting {
  id: string;
  contactName: string | null;
  contactPhone: string | null;
  sector: Named | null;
  owner: Named | null;
  channel: string | null;
  /** Not known of a moment of the past. */
  lastMessage?: MessageSummary | null;
  sinceMs: number;
}

export interface Group {
  key: string;
  /** None: the chats that have no sector, or nobody. */
  who: Named | null;
  open: number;
  waiting: number;
  oldestMs: number | null;
  /** The sector of the chat that waits longest. */
  oldestSector: string | null;
}

export interface Live {
  figures: Figures;
  /** The longest wait first; null while not all of them are known. */
  waiting: Waiting[] | null;
  sectors: Group[];
  agents: Group[];
}

/** Read off every open chat. */
export function liveOf(chats: Chat[]): Live & { waiting: Waiting[] } {
  const direct = chats.filter(({ kind }) => kind === 'direct');
  const waiting = waitingOf(direct);
  return {
    figures: {
      open: direct.length,
      indirect: chats.length - direct.length,
      inWaitingList: direct.filter((chat) => chat.waiting).length,
      unassigned: direct.filter(({ owner }) => owner === null).length,
      ...waitsOf(waiting),
    },
    waiting,
    sectors: groups(direct, (chat) => chat.sector),
    agents: groups(direct, (chat) => chat.owner),
  };
}

export function waitingOf(chats: Chat[]): Waiting[] {
  return chats
    .flatMap(({ kind, id, contactName, contactPhone, sector, owner, channel, lastMessage, waitingSince }) =>
      kind !== 'direct' || waitingSince === null
        ? []
        : [
            {
              id,
              contactName,
              contactPhone,
              sector,
              owner,
              channel: channel?.name ?? null,
              lastMessage,
              sinceMs: Date.parse(waitingSince),
            },
          ],
    )
    .sort(compareWaiting);
}

/** The longest first, in an order that is always the same. */
export function compareWaiting(a: Waiting, b: Waiting): number {
  return a.sinceMs - b.sinceMs || (a.id < b.id ? -1 : a.id > b.id ? 1 : 0);
}

/** How many of them are late. */
export function lateOf(waiting: Waiting[], now: number, of: LimitsOf): number {
  let late = 0;
  for (const { sector, sinceMs } of waiting) {
    const { lateMs } = of(sector?.id);
    if (lateMs !== null && now - sinceMs >= lateMs) late += 1;
  }
  return late;
}

export function waitsOf(waiting: Waiting[]): Pick<Figures, 'unanswered' | 'longestSince' | 'averageSince'> {
  let sum = 0;
  for (const { sinceMs } of waiting) sum += sinceMs;
  return {
    unanswered: waiting.length,
    longestSince: waiting[0]?.sinceMs ?? null,
    averageSince: waiting.length === 0 ? null : sum / waiting.length,
  };
}

/** A row of `/metrics/live`. */
export interface LiveRow {
  id?: string | null;
  name?: string | null;
  open: number;
  waiting: number;
  unassigned: number;
  unanswered: number;
  longestWaitSince: string | null;
  longestWaitChatId: string | null;
  averageWaitSince: string | null;
}

export function figuresOf({
  open,
  waiting,
  unassigned,
  unanswered,
  longestWaitSince,
  averageWaitSince,
}: LiveRow): Figures {
  return {
    open,
    indirect: null,
    inWaitingList: waiting,
    unassigned,
    unanswered,
    longestSince: momentOf(longestWaitSince),
    averageSince: momentOf(averageWaitSince),
  };
}

/** Rows by sector or agent; `sectorOf` knows where the chat that waits longest stands. */
export function groupsOf(rows: LiveRow[], sectorOf: (chat: string, row: LiveRow) => string | null): Group[] {
  return rows
    .filter(({ open }) => open > 0)
    .map((row): Group => {
      const { id = null, name = null, open, unanswered, longestWaitSince, longestWaitChatId } = row;
      const oldestSector = longestWaitChatId === null ? null : sectorOf(longestWaitChatId, row);
      return {
        key: id ?? '',
        who: id === null ? null : { id, name },
        open,
        waiting: unanswered,
        oldestMs: momentOf(longestWaitSince),
        oldestSector,
      };
    })
    .sort(byName);
}

function momentOf(at: string | null): number | null {
  return at === null ? null : Date.parse(at);
}

/** In an order that does not jump while numbers change: by name, nobody last. */
function groups(chats: Chat[], of: (chat: Chat) => Named | null): Group[] {
  const found = new Map<string, Group>();
  const names = newestNames(chats, (chat) => [of(chat)]);
  for (const chat of chats) {
    const key = of(chat)?.id ?? '';
    const group = found.get(key) ?? {
      key,
      who: names.get(key) ?? null,
      open: 0,
      waiting: 0,
      oldestMs: null,
      oldestSector: null,
    };
    group.open += 1;
    if (chat.waitingSince !== null) {
      group.waiting += 1;
      const sinceMs = Date.parse(chat.waitingSince);
      if (group.oldestMs === null || sinceMs < group.oldestMs)
        [group.oldestMs, group.oldestSector] = [sinceMs, chat.sector?.id ?? null];
    }
    found.set(key, group);
  }
  return [...found.values()].sort(byName);
}

/** What nobody has comes first, in a place that never scrolls away: somebody has to take it on. */
function byName(a: Group, b: Group): number {
  const name = ({ who, key }: Group) => who?.name ?? key;
  return (
    Number(b.who === null) - Number(a.who === null) || name(a).localeCompare(name(b)) || a.key.localeCompare(b.key)
  );
}
