/** Names of the days of the week. */

import { dateFormat } from './intl.ts';
import { locale } from './language.ts';

/** 0 is Monday. */
export function weekday(index: number, length: 'long' | 'short' = 'long'): string {
  // The first of January 2024 was a Monday.
  return dateFormat(locale(), { weekday: length, timeZone: 'UTC' }).format(Date.UTC(2024, 0, 1 + index));
}
