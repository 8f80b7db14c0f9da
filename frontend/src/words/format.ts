/** Times, durations and numbers for people. Times are those of the team's zone, whatever that of the computer is. */

import type { Named } from 'umbler-hub-client';

import { hubTime } from '../hub/clock.ts';
import { dayOf, plusDays } from '../hub/days.ts';
import { dateFormat, numberFormat } from './intl.ts';
import { locale, type Say } from './words.ts';
import { zone } from './zone.ts';

/** English times have no leading zero: `2:32 PM`. */
const hour = () => (locale() === 'en' ? 'numeric' : '2-digit');
const two = (number: number) => String(number).padStart(2, '0');

/** A duration that ticks: `0:07`, `12:40`, `3:05:09`, `2 d 03:05`. */
export function clock(ms: number): string {
  const seconds = Math.max(0, Math.floor(ms / 1000));
  const [days, hours, minutes] = [
    Math.floor(seconds / 86_400),
    Math.floor(seconds / 3600) % 24,
    Math.floor(seconds / 60) % 60,
  ];
  if (days > 0) return `${days} d ${two(hours)}:${two(minutes)}`;
  if (hours > 0) return `${hours}:${two(minutes)}:${two(seconds % 60)}`;
  return `${minutes}:${two(seconds % 60)}`;
}

/** A duration in one unit: `7 s`, `12 min`, `3 h`, `2 d`. */
export function age(ms: number): string {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return `${seconds} s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min`;
  if (seconds < 86_400) return `${Math.floor(seconds / 3600)} h`;
  return `${Math.floor(seconds / 86_400)} d`;
}

/** A short delay: `0.3 s`, `12 s`. */
export function delay(ms: number): string {
  if (ms >= 10_000) return age(ms);
  return `${numberFormat(locale(), { minimumFractionDigits: 1, maximumFractionDigits: 1 }).format(Math.max(0, ms) / 1000)} s`;
}

/** The time of today; the date too of another day. Today is the hub's. */
export function moment(at: string | null): string {
  if (at === null) return '–';
  const [then, timeZone] = [Date.parse(at), zone.get()];
  const today = dayOf(then, timeZone) === dayOf(hubTime(), timeZone);
  const day = today ? {} : ({ day: '2-digit', month: '2-digit' } as const);
  return dateFormat(locale(), { ...day, hour: hour(), minute: '2-digit', timeZone }).format(then);
}

export function fullMoment(at: string, timeZone?: string): string {
  return dateFormat(locale(), {
    dateStyle: 'medium',
    timeStyle: timeZone ? 'short' : 'medium',
    timeZone: timeZone ?? zone.get(),
  }).format(new Date(at));
}

/** A stretch of time; of one day the date is said once. */
export function stretch(from: string, until: string, timeZone: string): string {
  return dateFormat(locale(), { dateStyle: 'medium', timeStyle: 'short', timeZone }).formatRange(
    Date.parse(from),
    Date.parse(until),
  );
}

/** The first format of each kind takes a browser a tenth of a second on a phone: made while the page waits for its script. */
export function makeFormats() {
  clockTime(0);
  number(0);
}

export function clockTime(at: number): string {
  return dateFormat(locale(), { timeStyle: 'medium', timeZone: zone.get() }).format(at);
}

/** An hour of the day, 0 to 24: `14h`, in English `2 PM`. */
export function hourName(hour: number): string {
  return locale() === 'en'
    ? dateFormat('en', { hour: 'numeric', timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1, hour))
    : `${hour}h`;
}

/** The time of a day that is said elsewhere. */
export function clockMinute(at: string): string {
  return dateFormat(locale(), { hour: hour(), minute: '2-digit', timeZone: zone.get() }).format(Date.parse(at));
}

/** A day, given as `2026-03-02`: today, yesterday, else its weekday and date. */
export function dayName(say: Say, day: string): string {
  const today = dayOf(hubTime(), zone.get());
  if (day === today) return say('dayToday');
  if (day === plusDays(today, -1)) return say('dayBefore');
  const year = day.slice(0, 4) === today.slice(0, 4) ? {} : ({ year: 'numeric' } as const);
  return dateFormat(locale(), {
    weekday: 'long',
    day: 'numeric',
    month: 'long',
    ...year,
    timeZone: 'UTC',
  }).format(Date.parse(`${day}T00:00:00Z`));
}

/** A moment by its day and minute: `Today, 11:31`. The hub's clock decides which day is today. */
export function dayAndTime(say: Say, at: string): string {
  return `${dayName(say, dayOf(Date.parse(at), zone.get()))}, ${clockMinute(at)}`;
}

/** A day, given as `2026-03-02`, by day and month alone. */
export function shortDay(day: string): string {
  return dateFormat(locale(), { day: '2-digit', month: '2-digit', timeZone: 'UTC' }).format(
    Date.parse(`${day}T00:00:00Z`),
  );
}

/** A size of a file: `48 kB`. */
export function bytes(size: number): string {
  const [value, unit]: [number, string] =
    size < 1e3 ? [size, 'byte'] : size < 1e6 ? [size / 1e3, 'kilobyte'] : [size / 1e6, 'megabyte'];
  const maximumFractionDigits = value < 10 ? 1 : 0;
  return numberFormat(locale(), { style: 'unit', unit, unitDisplay: 'short', maximumFractionDigits }).format(value);
}

/** A duration to be compared with others: `45 s`, `12 min 5 s`, `3 h 12 min`, `2 d 4 h`. */
export function duration(ms: number | null): string {
  if (ms === null) return '–';
  const seconds = Math.round(ms / 1000);
  if (seconds < 60) return `${seconds} s`;
  const [small, large, word, unit] =
    seconds < 3600 ? [60, 60, 'min', 's'] : seconds < 86_400 ? [60, 3600, 'h', 'min'] : [3600, 86_400, 'd', 'h'];
  const rest = Math.floor((seconds % large) / (seconds < 3600 ? 1 : small));
  return `${Math.floor(seconds / large)} ${word}${rest > 0 ? ` ${rest} ${unit}` : ''}`;
}

export function number(count: number | null | undefined): string {
  return count === null || count === undefined ? '–' : numberFormat(locale()).format(count);
}

/** Something is never told as nothing: `<1%`. */
export function percent(part: number, whole: number): string {
  const share = whole === 0 ? 0 : part / whole;
  const format = numberFormat(locale(), { style: 'percent' });
  return share > 0 && share < 0.005 ? `<${format.format(0.01)}` : format.format(share);
}

/** An id that is no longer than a name is shown whole. */
const WHOLE_ID_MAX = 12;
const END_OF_ID = 6;

/** Umbler's webhooks tell no names of agents; the end of the id tells them apart. */
export function agentName(say: Say, agent: Named | null): string {
  if (agent === null) return say('nobody');
  const { id, name } = agent;
  return name ?? say('agentId', { id: id.length <= WHOLE_ID_MAX ? id : `…${id.slice(-END_OF_ID)}` });
}

/** Of an agent without a name the whole id, and where a name is given; of all others nothing, for nothing is left out. */
export function agentTitle(say: Say, agent: Named | null): string | undefined {
  return agent === null || agent.name !== null ? undefined : say('agentIdWhole', { id: agent.id });
}

/** Where a chat is in Umbler Talk. */
export function talkUrl(id: string): string {
  return `https://app-utalk.umbler.com/chats/${encodeURIComponent(id)}`;
}
