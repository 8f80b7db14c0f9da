/** Which alerts stand together: forty rows of one colour tell nobody where to look first. */

import type { Alert, AlertKind, Named } from 'umbler-hub-client';

import { number } from '../words/format.ts';
import type { Say } from '../words/words.ts';

export const URGENT: Record<AlertKind, boolean> = {
  waiting: true,
  first_response_missed: true,
  window_closing: true,
  waiting_warn: false,
  first_response_near: false,
  idle: false,
};

/** So many are read one by one where a panel is as high as its rows. */
export const SINGLE_MAX = 6;
/** What a panel needs besides its rows, and one row with the space above it, in pixels. */
const HEAD_PX = 62;
const ROW_PX = 51;

/** How many alerts a panel of this height shows one by one. */
export function roomIn(height: number): number {
  return Math.max(SINGLE_MAX, Math.floor((height - HEAD_PX) / ROW_PX));
}

/** So long an alert is new: it is filled, and on the wall it has a line of its own. */
const NEW_MS = 60_000;

export function isNewAlert(raisedAt: string, now: number): boolean {
  return now - Date.parse(raisedAt) < NEW_MS;
}

/** How many there are, and how many of them nobody has taken on. */
export function tallyOf(say: Say, all: Alert[]): string {
  const open = say('alertsOpen', { count: number(all.filter(isOpen).length) });
  return say('alertsTally', { count: number(all.length), open });
}

export interface AlertGroup {
  key: string;
  /** What all of them have in common, and nobody or no sector is something in common too; `taken`: somebody is on each of them. */
  by: 'sector' | 'owner' | 'taken';
  who: Named | null;
  /** At least one, the first to look at first. */
  alerts: [Alert, ...Alert[]];
}

/** Those that nobody has taken on come first, of these the urgent ones, and of these those that are due the longest. */
export function ordered(all: Alert[]): Alert[] {
  const rank = ({ kind, acknowledgedAt }: Alert) => (acknowledgedAt === null ? 0 : 2) + (URGENT[kind] ? 0 : 1);
  return all.toSorted((a, b) => rank(a) - rank(b) || Date.parse(a.dueAt) - Date.parse(b.dueAt));
}

/**
 * Alerts in groups by sector, or by agent where all are of one sector; those that somebody is on are a group at the end.
 * Groups stand in the order of their first alerts. Null: there is `room` to read them one by one.
 */
export function grouped(all: Alert[], room = SINGLE_MAX): AlertGroup[] | null {
  if (all.length <= room) return null;
  const sectors = new Set(all.filter(isOpen).map(({ sector }) => sector?.id));
  const by = sectors.size > 1 ? 'sector' : 'owner';
  const groups = new Map<string, AlertGroup>();
  for (const alert of ordered(all)) {
    const who = isOpen(alert) ? alert[by] : null;
    const key = isOpen(alert) ? `${by} ${who?.id ?? ''}` : 'taken';
    const group = groups.get(key);
    if (group === undefined) groups.set(key, { key, by: isOpen(alert) ? by : 'taken', who, alerts: [alert] });
    else group.alerts.push(alert);
  }
  return [...groups.values()];
}

function isOpen({ acknowledgedAt }: Alert): boolean {
  return acknowledgedAt === null;
}
