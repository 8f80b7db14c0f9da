/** Which fields are wrong, and what is wrong with each, out of what a hub says of them. */

import type { Word } from './en.ts';
import { faultInWords } from './faults.ts';
import { isWord, locale, sayNow } from './language.ts';
import { weekday } from './weekday.ts';

const DAYS = ['monday', 'tuesday', 'wednesday', 'thursday', 'friday', 'saturday', 'sunday'];
/** Fields of small forms, by the labels that they have there. */
const LABELS: Record<string, Word> = {
  name: 'name',
  photoUrl: 'photo',
  sectorId: 'sectorId',
  id: 'agentIdLabel',
  reason: 'eraseReason',
  token: 'setupTokenLabel',
  days: 'backfillDays',
  idleMinutes: 'idleAfter',
  holidays: 'holidays',
  businessHours: 'hours',
  thresholds: 'deadlines',
  views: 'views',
  dailyReport: 'dailyReport',
};

/** What the hub says of each wrong field, by the field's path: `a.b must be …; c[0] must be …`, or of one alone `must be …`. */
export function problemsIn(message: string, parameter: string | null): Map<string, string> {
  const found = message.split('; ').map((one) => /^(\S+) (.+)$/s.exec(one));
  const named = new Map(found.flatMap((one): [string, string][] => (one ? [[one[1] ?? '', one[2] ?? '']] : [])));
  return parameter === null || named.has(parameter) ? named : new Map([[parameter, message]]);
}

/** A field by what the page calls it; its path where the page has no field for it. */
export function placeOf(path: string): string {
  const day = /^businessHours\.(\w+)/.exec(path)?.[1];
  if (day !== undefined && DAYS.includes(day)) return weekday(DAYS.indexOf(day));
  const kind = /^thresholds\..*?(\w+Seconds)$/.exec(path)?.[1];
  const limit = `limit_${kind}`;
  if (isWord(limit)) return sayNow(limit);
  const [, list = '', place = ''] = /^(\w+)\[(\d+)\]/.exec(path) ?? [];
  if (list in LABELS) return `${sayNow(LABELS[list] as Word)} ${Number(place) + 1}`;
  const label = LABELS[path] ?? LABELS[path.split('.')[0] ?? ''];
  return label === undefined ? path : sayNow(label);
}

/** All of them in one sentence; null where the page has no words for any of them. */
export function problemsInWords(message: string, parameter: string | null, language = locale()): string | null {
  const told = [...problemsIn(message, parameter)].flatMap(([path, said]) => {
    const words = faultInWords(said, language);
    return words === null ? [] : [`${placeOf(path)}: ${words}`];
  });
  return told.length === 0 ? null : told.join('; ');
}
