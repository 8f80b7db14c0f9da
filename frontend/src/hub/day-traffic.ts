/**
 * Messages and first responses of one day by the hour, and of the usual day: the median of the same weekday in the four
 * weeks before.
 */

import { hubTime } from './clock.ts';
import { dayOf, hourOf, localOf, midnight, momentOf, plusDays } from './days.ts';
import { read } from './reads.ts';

export interface Counts {
  customers: number;
  team: number;
  /** Bots, and what was written outside of Umbler Talk. */
  others: number;
}

export interface Hour extends Counts {
  /** Its first moment, in milliseconds. */
  from: number;
  until: number;
  /** As the clocks of the hub's zone show it. */
  hour: number;
  /** Messages in this hour of the usual day; null where there is no usual day. */
  usual: number | null;
  /** Median of the first responses that were given in this hour, in milliseconds; null where there was none. */
  firstMs: number | null;
}

export interface Day {
  hours: Hour[];
  zone: string;
  /** How many days the usual one was made of. */
  days: number;
  /** The usual day's first response until this time of day, in milliseconds; null where too few days had any, or of a day that is past. */
  usualFirstMs: number | null;
  /** The position that the counts include. */
  asOfSeq: number;
  /** History is being computed anew: the counts hold a part. */
  rebuilding: boolean;
}

const PATH = '/api/umbler/metrics/series';
const SUMMARY = '/api/umbler/metrics/summary';
const FIRST = 'firstResponse';
const WEEKS = 4;
/** One day says nothing of what is usual. */
const DAYS_MIN = 2;
const HOUR_MS = 3_600_000;
const KEYS: Record<string, keyof Counts> = {
  messagesIn: 'customers',
  messagesMember: 'team',
  messagesBot: 'others',
  messagesExternal: 'others',
};
const METRICS = Object.keys(KEYS).join();

interface Answer {
  asOfSeq: number;
  rebuilding: object | null;
  from: string;
  timezone: string;
  rows: { start: string; metric: string; n: number; medianMs?: number | null }[];
}

/** The usual hours of a day, which do not change while it runs. */
export interface Usual {
  day: string;
  days: number;
  byHour: number[] | null;
  rebuilding: boolean;
}

/** The day that `until` (else now) lies in, up to that moment. `known` spares reading the weeks before again. */
export async function readDay(until?: string, known?: Usual | null): Promise<{ day: Day; usual: Usual }> {
  const answer: Answer = await read(PATH, { bucket: 'hour', metric: `${METRICS},${FIRST}`, until });
  const zone = answer.timezone;
  const name = dayOf(Date.parse(answer.from), zone);
  const [usual, usualFirstMs] = await Promise.all([
    known?.day === name && !known.rebuilding ? known : readUsual(name, zone),
    until === undefined ? readUsualFirst(name, zone) : null,
  ]);
  const counts = countsOf(answer.rows);
  const firstMs = new Map(
    answer.rows.filter(({ metric }) => metric === FIRST).map(({ start, medianMs }) => [Date.parse(start), medianMs]),
  );
  const hours = hoursOf(name, zone).map((hour) => ({
    ...hour,
    ...(counts.get(hour.from) ?? NONE),
    usual: usual.byHour?.[hour.hour] ?? null,
    firstMs: firstMs.get(hour.from) ?? null,
  }));
  const { days } = usual;
  return {
    day: { hours, zone, days, usualFirstMs, asOfSeq: answer.asOfSeq, rebuilding: answer.rebuilding !== null },
    usual,
  };
}

async function readUsual(day: string, zone: string): Promise<Usual> {
  const answers: Answer[] = await Promise.all(
    daysBefore(day).map((one) =>
      read(PATH, {
        bucket: 'hour',
        metric: METRICS,
        from: midnight(one, zone),
        until: midnight(plusDays(one, 1), zone),
      }),
    ),
  );
  const rebuilding = answers.some((answer) => answer.rebuilding !== null);
  // A day without any message was closed, or before the hub was there.
  const found = answers.map(({ rows }) => byHourOf(rows, zone)).filter((hours) => hours.some((count) => count > 0));
  const byHour =
    found.length < DAYS_MIN
      ? null
      : Array.from({ length: 24 }, (_, hour) => median(found.map((hours) => hours[hour] ?? 0)));
  return { day, days: found.length, byHour, rebuilding };
}

/** Until the same time of day: a morning is not compared with evenings. */
async function readUsualFirst(day: string, zone: string): Promise<number | null> {
  const [, time = ''] = localOf(hubTime(), zone).split('T');
  const answers: Answer[] = await Promise.all(
    daysBefore(day).map((one) => {
      const until = new Date(momentOf(`${one}T${time}`, zone)).toISOString();
      return read(SUMMARY, { metric: FIRST, from: midnight(one, zone), until });
    }),
  );
  const firsts = answers
    .flatMap(({ rows }) => rows.map(({ medianMs }) => medianMs ?? null))
    .filter((ms) => ms !== null);
  return firsts.length < DAYS_MIN ? null : median(firsts);
}

function daysBefore(day: string): string[] {
  return Array.from({ length: WEEKS }, (_, index) => plusDays(day, -7 * (index + 1)));
}

const NONE: Counts = { customers: 0, team: 0, others: 0 };

function countsOf(rows: Answer['rows']): Map<number, Counts> {
  const found = new Map<number, Counts>();
  for (const { start, metric, n } of rows) {
    const key = KEYS[metric];
    if (key === undefined) continue;
    const at = Date.parse(start);
    const counts = found.get(at) ?? { ...NONE };
    counts[key] += n;
    found.set(at, counts);
  }
  return found;
}

function byHourOf(rows: Answer['rows'], zone: string): number[] {
  const hours = Array.from({ length: 24 }, () => 0);
  for (const { start, metric, n } of rows) {
    if (!(metric in KEYS)) continue;
    const hour = hourOf(Date.parse(start), zone);
    hours[hour] = (hours[hour] ?? 0) + n;
  }
  return hours;
}

/** 23, 24 or 25 of them. */
function hoursOf(day: string, zone: string): { from: number; until: number; hour: number }[] {
  const [begin, end] = [Date.parse(midnight(day, zone)), Date.parse(midnight(plusDays(day, 1), zone))];
  return Array.from({ length: Math.ceil((end - begin) / HOUR_MS) }, (_, index) => {
    const from = begin + index * HOUR_MS;
    return { from, until: Math.min(end, from + HOUR_MS), hour: hourOf(from, zone) };
  });
}

function median(values: number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  const above = sorted[middle] ?? 0;
  return sorted.length % 2 === 1 ? above : ((sorted[middle - 1] ?? 0) + above) / 2;
}
