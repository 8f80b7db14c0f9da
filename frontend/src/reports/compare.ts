/** Changes, only between stretches that are alike and of values that are enough to mean something. */

import { localOf, momentOf, plusDays } from '../hub/days.ts';
import { COUNTS, DURATIONS, type Answer, type Row } from './metrics.ts';
import type { Span } from './period.ts';

/** Of fewer values a percentage is chance. */
export const VALUES_MIN = 20;
const WEEK = 7;
const DAY_MS = 86_400_000;

/** Whole weeks between a stretch and the one that it is compared with: as few as keep them apart. */
export function weeksBefore({ from, until }: Span): number {
  return Math.max(1, Math.ceil((Date.parse(until) - Date.parse(from)) / (WEEK * DAY_MS)));
}

/**
 * The same weekdays until the same hour, whole weeks before. Today until 10:42 is compared with the same weekday until
 * 10:42: the hour before midnight is nothing like the hour after it.
 */
export function earlierOf(span: Span, zone: string): Span {
  const days = weeksBefore(span) * WEEK;
  const back = (at: string) => {
    const [day = '', time = ''] = localOf(Date.parse(at), zone).split('T');
    return new Date(momentOf(`${plusDays(day, -days)}T${time}`, zone)).toISOString();
  };
  return { from: back(span.from), until: back(span.until) };
}

/** A row for each metric, also for one that had nothing. */
export function rowsOf({ rows }: Answer): Row[] {
  const nothing = { n: 0, medianMs: null, meanMs: null, p75Ms: null, p90Ms: null, p95Ms: null, maxMs: null };
  return [...DURATIONS, ...COUNTS].map((metric) => rows.find((row) => row.metric === metric) ?? { metric, ...nothing });
}

/** Rows with what they were before; `key` tells which belong together. Untouched while the earlier ones are not here. */
export function withEarlier<T extends Row>(
  rows: T[],
  earlier: T[] | null,
  key: (row: T, index: number) => string,
): T[] {
  if (earlier === null) return rows;
  const known = new Map(earlier.map((row, index) => [key(row, index), row]));
  return rows.map((row, index) => {
    const before = known.get(key(row, index));
    return { ...row, previousN: before?.n ?? 0, previousMedianMs: before?.medianMs ?? null };
  });
}

export type Change =
  /** Nothing was there before. */
  | { kind: 'nothing' }
  /** Too few values, here or there. */
  | { kind: 'few' }
  | { kind: 'same' }
  | { kind: 'moved'; isMore: boolean; share: number };

interface Stretch {
  medianMs: number | null | undefined;
  n: number;
}

/** A count that fell from many to few did fall, so only the one before has to be large enough. */
export function changeOfCount(now: number, before: number): Change {
  if (before === 0) return { kind: 'nothing' };
  return before < VALUES_MIN ? { kind: 'few' } : moved(now, before);
}

/** A median of few says nothing, here or there. */
export function changeOfMedian(now: Stretch, before: Stretch): Change {
  const [one, other] = [now.medianMs ?? null, before.medianMs ?? null];
  if (before.n === 0 || other === null) return { kind: 'nothing' };
  return one === null || Math.min(now.n, before.n) < VALUES_MIN ? { kind: 'few' } : moved(one, other);
}

/** What would be written as 0 % is no change. */
function moved(now: number, before: number): Change {
  const share = before === 0 ? 0 : Math.abs(now - before) / before;
  return Math.round(share * 100) === 0 ? { kind: 'same' } : { kind: 'moved', isMore: now > before, share };
}
