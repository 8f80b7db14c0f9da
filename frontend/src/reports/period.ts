/** The period of a report, in whole days of the hub's time zone. It stands in the address, like everything that is chosen. */

import { whenReached } from '../hub/clock.ts';
import { dayOf, isDay, midnight, plusDays } from '../hub/days.ts';

export const PERIODS = ['today', 'yesterday', 'week', 'month', 'custom'] as const;
export type Period = (typeof PERIODS)[number];

/** Where the hub has no settings, its first answer names its zone. */
export const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export interface Span {
  from: string;
  /** Never left to the hub's now, which is another one at each question: a number and the chats behind it would differ. */
  until: string;
}

/** Beyond these a chart by the hour, or by the day, has too many bars to read. */
const HOURS_DAYS_MAX = 2;
const DAYS_MAX = 62;
const DAY_MS = 86_400_000;
const DAYS: Record<Exclude<Period, 'custom'>, [number, number | null]> = {
  today: [0, null],
  yesterday: [-1, 0],
  week: [-6, null],
  month: [-29, null],
};

/** Null where the two days are no period. */
export function spanOf(period: Period, since: string, till: string, zone: string, now: number): Span | null {
  const today = dayOf(now, zone);
  if (period !== 'custom') {
    const [first, end] = DAYS[period];
    return {
      from: midnight(plusDays(today, first), zone),
      until: end === null ? new Date(now).toISOString() : midnight(plusDays(today, end), zone),
    };
  }
  if (!isDay(since) || !isDay(till) || since > till || since > today) return null;
  return {
    from: midnight(since, zone),
    until: till >= today ? new Date(now).toISOString() : midnight(plusDays(till, 1), zone),
  };
}

export function bucketOf({ from, until }: Span): 'hour' | 'day' | 'week' {
  const days = (Date.parse(until) - Date.parse(from)) / DAY_MS;
  if (days <= HOURS_DAYS_MAX) return 'hour';
  return days <= DAYS_MAX ? 'day' : 'week';
}

/** Days are of `at`: without this, “today” would go on over midnight. The answer calls it off. */
export function renewAtMidnight(at: number, zone: string, renew: () => void): () => void {
  return whenReached(Date.parse(midnight(plusDays(dayOf(at, zone), 1), zone)), renew);
}
