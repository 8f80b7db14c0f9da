/** What parts of a report's charts are called: a length of time, a stretch of the period, an hour of the week. */

import { hourOf } from '../hub/days.ts';
import { duration, hourName } from '../words/format.ts';
import { dateFormat } from '../words/intl.ts';
import { weekday } from '../words/weekday.ts';
import { locale, type Say } from '../words/words.ts';

/** From `fromMs` on and below `untilMs`; null: without an end. */
export function binLabel(say: Say, fromMs: number, untilMs: number | null): string {
  if (untilMs === null) return say('lastedFrom', { from: duration(fromMs) });
  return fromMs === 0 ? say('lastedTo', { to: duration(untilMs) }) : `${duration(fromMs)} – ${duration(untilMs)}`;
}

export function bucketLabel(start: string, bucket: 'hour' | 'day' | 'week', timeZone: string): string {
  const at = Date.parse(start);
  if (bucket === 'hour') return hourName(hourOf(at, timeZone));
  return dateFormat(locale(), { day: '2-digit', month: '2-digit', timeZone }).format(at);
}

/** 1 is Monday. */
export function hourLabel(day: number, hour: number): string {
  return `${weekday(day - 1)}, ${hourName(hour)}`;
}
