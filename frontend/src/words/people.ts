/** What people are called on a screen, and what was said last. */

import type { MessageSummary, Named } from 'umbler-hub-client';

import { named, type Say } from './words.ts';

/** The name, else the phone, else that there is none. */
export function contactTitle(
  say: Say,
  { contactName, contactPhone = null }: { contactName: string | null; contactPhone?: string | null },
): string {
  return contactName ?? contactPhone ?? say('unnamed');
}

/** How the hub calls everybody where nobody signs in. */
const ANONYMOUS = 'anonymous';

/** Who did something here. */
export function userName(say: Say, user: Named | null): string {
  if (user === null) return '–';
  return user.name ?? (user.id === ANONYMOUS ? say('somebody') : user.id);
}

/** The words of a message in one line; of one without words its type. */
export function lastWords(say: Say, { text, type, deleted }: MessageSummary): string {
  return deleted ? say('deleted') : (text ?? `[${named(say, type)}]`);
}
