/** What is being changed in the form: hours as they are typed, and thresholds in minutes. */

import type { HubSettings, SavedView, Thresholds } from 'umbler-hub-client';

export const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'] as const;
export type Weekday = (typeof DAYS)[number];
export const KINDS = [
  'waitingWarnSeconds',
  'waitingSeconds',
  'firstResponseNearSeconds',
  'firstResponseSeconds',
  'idleSeconds',
  'windowClosingSeconds',
] as const satisfies (keyof Thresholds)[];
export type Kind = (typeof KINDS)[number];

/** Minutes as typed; null: no such alert; left out, in a sector: as for all. */
export type Limits = Partial<Record<Kind, string | null>>;

export interface Draft {
  limits: Record<Kind, string | null>;
  sectors: { id: string; limits: Limits }[];
  hours: Record<Weekday, [string, string][]>;
  holidays: { date: string; name: string }[];
  idleMinutes: number;
  /** Null: no daily report. */
  dailyReport: { at: string; language: 'pt-BR' | 'en' } | null;
}

/** What a threshold begins with where it had none. */
const BEGINNING: Record<Kind, string> = {
  waitingWarnSeconds: '5',
  waitingSeconds: '15',
  firstResponseNearSeconds: '4',
  firstResponseSeconds: '5',
  idleSeconds: '30',
  windowClosingSeconds: '60',
};

export function beginning(kind: Kind): string {
  return BEGINNING[kind];
}

export function draftOf({ thresholds, businessHours, holidays, idleMinutes, dailyReport }: HubSettings): Draft {
  return {
    limits: limitsOf(thresholds.default) as Draft['limits'],
    sectors: Object.entries(thresholds.sectors).map(([id, own]) => ({ id, limits: limitsOf(own) })),
    hours: Object.fromEntries(DAYS.map((day) => [day, businessHours[day] ?? []])) as Draft['hours'],
    holidays,
    idleMinutes,
    dailyReport: dailyReport ?? null,
  };
}

/** What PUT takes, with the team's views as they are. Whether it is right the hub says, by the path of each field. */
export function bodyOf({ limits, sectors, hours, holidays, idleMinutes, dailyReport }: Draft, views: SavedView[]) {
  return {
    thresholds: {
      default: secondsOf(limits),
      sectors: Object.fromEntries(sectors.map(({ id, limits: own }) => [id, secondsOf(own)])),
    },
    businessHours: hours,
    holidays: holidays.map(({ date, name }) => ({ date, name: name.trim() })),
    idleMinutes,
    dailyReport,
    views,
  };
}

function limitsOf(seconds: Partial<Thresholds>): Limits {
  const known = KINDS.filter((kind) => seconds[kind] !== undefined);
  return Object.fromEntries(known.map((kind) => [kind, minutes(seconds[kind] ?? null)]));
}

function secondsOf(limits: Limits): Partial<Record<Kind, number | null>> {
  const known = KINDS.filter((kind) => limits[kind] !== undefined);
  return Object.fromEntries(
    known.map((kind) => {
      const typed = limits[kind];
      return [kind, typed === null || typed === undefined || typed === '' ? null : Math.round(Number(typed) * 60)];
    }),
  );
}

function minutes(seconds: number | null): string | null {
  return seconds === null ? null : String(Math.round((seconds / 60) * 1000) / 1000);
}
