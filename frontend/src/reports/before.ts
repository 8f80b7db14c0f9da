/** With what a report is compared, in words: the same weekdays, whole weeks before. */

import { dayOf } from '../hub/days.ts';
import { weekday } from '../words/weekday.ts';
import type { Say } from '../words/words.ts';
import { weeksBefore } from './compare.ts';
import type { Span } from './period.ts';

/** The longest day has an hour more. */
const DAY_MS = 25 * 3_600_000;
/** Saturday: in Portuguese names of workdays are of another gender than those of the other two. */
const DAYS_OFF_FROM = 5;

export function isOneDay({ from, until }: Span): boolean {
  return Date.parse(until) - Date.parse(from) <= DAY_MS;
}

/** After "faster than" (`story`), or after "compare with" (`compare`). Of one day it is a day, which has a name. */
export function beforeIn(say: Say, as: 'story' | 'compare', span: Span, zone: string): string {
  const weeks = weeksBefore(span);
  if (weeks > 1) return say(`${as}Weeks`, { weeks });
  if (!isOneDay(span)) return say(`${as}Week`);
  const day = (new Date(dayOf(Date.parse(span.from), zone)).getUTCDay() + 6) % 7;
  return say(day < DAYS_OFF_FROM ? `${as}Day` : `${as}DayOff`, { weekday: weekday(day) });
}

/** Beside what is drawn of it. */
export function beforeKey(say: Say, span: Span): string {
  const weeks = weeksBefore(span);
  return weeks > 1 ? say('storyWeeks', { weeks }) : say('storyWeek');
}
