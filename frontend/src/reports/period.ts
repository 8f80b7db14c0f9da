/** The period of a report, in whole days of the hub's time zone. It stands in the address, like everything that is chosen. */

export const PERIODS = ['today', 'yesterday', 'week', 'month', 'custom'] as const;
export type Period = (typeof PERIODS)[number];

export interface Span {
  from: string;
  /** None: now. */
  until: string | undefined;
}

/** Beyond these a chart by the hour, or by the day, has too many bars to read. */
const HOURS_DAYS_MAX = 2;
const DAYS_MAX = 62;
const DAY_MS = 86_400_000;
const DAYS: Record<Exclude<Period, 'custom'>, [number, number | null]> = { today: [0, null], yesterday: [-1, 0], week: [-6, null], month: [-29, null] };

/** Null where the two days are no period. */
export function spanOf(period: Period, since: string, till: string, zone: string, now: number): Span | null {
  const today = dayOf(now, zone);
  if (period !== 'custom') {
    const [first, end] = DAYS[period];
    return { from: midnight(plus(today, first), zone), until: end === null ? undefined : midnight(plus(today, end), zone) };
  }
  if (!isDay(since) || !isDay(till) || since > till || since > today) return null;
  return { from: midnight(since, zone), until: till >= today ? undefined : midnight(plus(till, 1), zone) };
}

export function bucketOf({ from, until }: Span, now: number): 'hour' | 'day' | 'week' {
  const days = ((until === undefined ? now : Date.parse(until)) - Date.parse(from)) / DAY_MS;
  if (days <= HOURS_DAYS_MAX) return 'hour';
  return days <= DAYS_MAX ? 'day' : 'week';
}

/** The day there, as `2026-03-02`. */
export function dayOf(at: number, zone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

function plus(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** When a day begins there. Where midnight does not exist, as at the start of a daylight-saving time, it is the hour after. */
function midnight(day: string, zone: string): string {
  const wanted = Date.parse(day);
  let at = wanted - offset(wanted, zone);
  at = wanted - offset(at, zone);
  if (dayOf(at, zone) < day) at += 3_600_000;
  return new Date(at).toISOString();
}

function offset(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' }).formatToParts(at);
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - Math.floor(at / 1000) * 1000;
}
