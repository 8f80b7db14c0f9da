/** What a contact is called on a screen. */

import type { Say } from './words.ts';

/** The name, else the phone, else that there is none. */
export function contactTitle(
  say: Say,
  { contactName, contactPhone = null }: { contactName: string | null; contactPhone?: string | null },
): string {
  return contactName ?? contactPhone ?? say('unnamed');
}
