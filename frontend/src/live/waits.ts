/** The numbers of the live page, computed from every open chat. Direct chats alone count, as in the hub's counters. */

import type { Chat, Named } from 'umbler-hub-client';
import { useMemo } from 'react';

import { settings } from '../hub/hub.tsx';
import { thresholdsOf, type KnownSettings } from '../hub/settings.ts';
import { useStore } from '../hub/store.ts';

export type Urgency = 'soon' | 'attention' | 'late';

/** From when a wait of a sector wants attention, and from when it is late; null: never. */
export interface Limits {
  attentionMs: number | null;
  lateMs: number | null;
}

export type LimitsOf = (sector: string | null | undefined) => Limits;

/** The limits as an admin set them. */
export function useLimits(): { of: LimitsOf; differ: boolean } {
  const known = useStore(settings);
  return useMemo(() => ({ of: limitsOf(known), differ: Object.keys(known.settings?.thresholds.sectors ?? {}).length > 0 }), [known]);
}

function limitsOf(known: KnownSettings): LimitsOf {
  const found = new Map<string, Limits>();
  return (sector) => {
    const key = sector ?? '';
    const limits = found.get(key) ?? inMs(thresholdsOf(known, sector));
    found.set(key, limits);
    return limits;
  };
}

function inMs({ waitingWarnSeconds, waitingSeconds }: ReturnType<typeof thresholdsOf>): Limits {
  const ms = (seconds: number | null) => (seconds === null ? null : seconds * 1000);
  return { attentionMs: ms(waitingWarnSeconds), lateMs: ms(waitingSeconds) };
}

export function urgencyOf(waitMs: number, { attentionMs, lateMs }: Limits): Urgency {
  if (lateMs !== null && waitMs >= lateMs) return 'late';
  return attentionMs !== null && waitMs >= attentionMs ? 'attention' : 'soon';
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
  /** The sector of the chat that waits longest. */
  oldestSector: string | null;
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
    const group = found.get(key) ?? { key, who, open: 0, waiting: 0, oldestMs: null, oldestSector: null };
    group.open += 1;
    group.who = who;
    if (chat.waitingSince !== null) {
      group.waiting += 1;
      const sinceMs = Date.parse(chat.waitingSince);
      if (group.oldestMs === null || sinceMs < group.oldestMs) [group.oldestMs, group.oldestSector] = [sinceMs, chat.sector?.id ?? null];
    }
    found.set(key, group);
  }
  const name = ({ who, key }: Group) => who?.name ?? key;
  return [...found.values()].sort((a, b) => Number(a.who === null) - Number(b.who === null) || name(a).localeCompare(name(b)));
}
