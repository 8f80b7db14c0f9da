/** Days of a time zone, as `2026-03-02`. */

const DAY_MS = 86_400_000;

export function dayOf(at: number, zone: string): string {
  return new Intl.DateTimeFormat('en-CA', { timeZone: zone, year: 'numeric', month: '2-digit', day: '2-digit' }).format(at);
}

export function isDay(text: string): boolean {
  return /^\d{4}-\d{2}-\d{2}$/.test(text) && !Number.isNaN(Date.parse(text));
}

export function plusDays(day: string, days: number): string {
  return new Date(Date.parse(day) + days * DAY_MS).toISOString().slice(0, 10);
}

/** When a day begins there. Where midnight does not exist, as at the start of a daylight-saving time, it is the hour after. */
export function midnight(day: string, zone: string): string {
  const wanted = Date.parse(day);
  let at = wanted - offset(wanted, zone);
  at = wanted - offset(at, zone);
  if (dayOf(at, zone) < day) at += 3_600_000;
  return new Date(at).toISOString();
}

/** 0 to 23, as the clocks there show it. */
export function hourOf(at: number, zone: string): number {
  return Number(new Intl.DateTimeFormat('en-US', { timeZone: zone, hour: '2-digit', hourCycle: 'h23' }).format(at));
}

function offset(at: number, zone: string): number {
  const parts = new Intl.DateTimeFormat('en-US', { timeZone: zone, hourCycle: 'h23', year: 'numeric', month: 'numeric', day: 'numeric', hour: 'numeric', minute: 'numeric', second: 'numeric' }).formatToParts(at);
  const part = (type: string) => Number(parts.find((each) => each.type === type)?.value);
  return Date.UTC(part('year'), part('month') - 1, part('day'), part('hour'), part('minute'), part('second')) - Math.floor(at / 1000) * 1000;
}
