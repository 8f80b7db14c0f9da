/** Days of a time zone, as `2026-03-02`, and its clocks. Without a zone, those of this computer. */

import { dateFormat } from '../words/intl.ts';

const DAY_MS = 86_400_000;

export function dayOf(at: number, zone?: string): string {
  return dateFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** When a day begins there. Where midnight does not exist, as at the start of a daylight-saving time, it is the hour after. */
export function midnight(day: string, zone: string): string {
  const at = momentOf(`${day}T00:00`, zone);
  return new Date(dayOf(at, zone) < day ? at + 3_600_000 : at).toISOString();
}

/** 0 to 23, as the clocks there show it. */
export function hourOf(at: number, zone: string): number {
  return Number(dateFormat('en-US', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' }).format(at));
}

/** Date and time as the clocks there show them: `2026-03-02T13:00:05`. */
export function localOf(at: number, zone?: string): string {
  return new Date(at + offset(at, zone)).toISOString().slice(0, 19);
}

/** When the clocks there show this, in milliseconds since 1970; NaN where it is no date and time. */
export function momentOf(local: string, zone?: string): number {
  const wanted = Date.parse(`${local}Z`);
  return Number.isNaN(wanted) ? wanted : wanted - offset(wanted - offset(wanted, zone), zone);
}

/** How far the clocks there are ahead of UTC, in milliseconds. */
function offset(at: number, zone?: string): number {
  const parts = dateFormat('en-US', {
    timeZone: zone,
    hourCycle: 'h23',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: 'numeric',
    minute: 'numeric',
    second: 'numeric',
  }).formatToParts(at);
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
  return (
    Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) -
    Math.floor(at / 1000) * 1000
  );
}
