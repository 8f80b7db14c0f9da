/** Which hours the chart of the day draws, and the numbers beside it. */

import type { Counts, Hour } from '../hub/day-traffic.ts';

/** So many at least, and whole steps of the names below: a wider window would move every time a message comes earlier or later. */
const HOURS_MIN = 12;
export const HOURS_STEP = 3;

/** Of a day that can be compared, the hours in which a message came, usually comes, or could come now; else all of it. */
export function hoursShown(hours: Hour[], now: number): Hour[] {
  const isBusy = ({ from, until, customers, team, others, usual }: Hour) =>
    customers + team + others + (usual ?? 0) > 0 || (from <= now && now < until);
  if (hours.every(({ usual }) => usual === null)) return hours;
  const [first, last] = [hours.findIndex(isBusy), hours.findLastIndex(isBusy)];
  if (first < 0) return hours;
  const begin = Math.floor(first / HOURS_STEP) * HOURS_STEP;
  const end = Math.min(hours.length, Math.max(begin + HOURS_MIN, Math.ceil((last + 1) / HOURS_STEP) * HOURS_STEP));
  return hours.slice(Math.max(0, Math.min(begin, end - HOURS_MIN)), end);
}

/** How many messages came until now, and how many come until then on the usual day; null: there is none. */
export function soFarOf(hours: Hour[], now: number): { count: number; usual: number | null } {
  const count = hours.reduce((total, hour) => total + countOf(hour), 0);
  if (hours.every(({ usual }) => usual === null)) return { count, usual: null };
  return { count, usual: hours.reduce((total, hour) => total + (hour.usual ?? 0) * runOf(hour, now), 0) };
}

export function isRunning({ from, until }: Hour, now: number): boolean {
  return from <= now && now < until;
}

/** How much of an hour is over, from 0 to 1. */
export function runOf({ from, until }: Hour, now: number): number {
  return Math.min(1, Math.max(0, (now - from) / (until - from)));
}

export function countOf({ customers, team, others }: Counts): number {
  return customers + team + others;
}

/** Round numbers up to the highest bar, two to four of them: whole messages, so one for a single message. */
export function marksOf(most: number): number[] {
  const about = most / 2;
  const ten = 10 ** Math.floor(Math.log10(Math.max(1, about)));
  const step = Math.max(1, ...[1, 2, 5].map((one) => one * ten).filter((one) => one <= about));
  return Array.from({ length: Math.floor(most / step) }, (_, place) => (place + 1) * step);
}
