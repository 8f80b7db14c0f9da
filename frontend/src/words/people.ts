/** What a contact is called on a screen, and what was said last. */

import type { MessageSummary } from 'umbler-hub-client';

import { named, type Say } from './words.ts';

/** The name, else the phone, else that there is none. */
export function contactTitle(
  say: Say,
  { contactName, contactPhone = null }: { contactName: string | null; contactPhone?: string | null },
): string {
  return contactName ?? contactPhone ?? say('unnamed');
}

/** The words of a message in one line; of one without words its type. */
export function lastWords(say: Say, { text, type, deleted }: MessageSummary): string {
  return deleted ? say('deleted') : (text ?? `[${named(say, type)}]`);
}
