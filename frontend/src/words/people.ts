/** What people are called on a screen, and what was said last. */

import type { Message, MessageSummary, Named, User } from 'umbler-hub-client';

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

/** True where nobody signs in, so that nobody is known by a name. */
export function isAnonymous(user: Named | null): boolean {
  return user?.id === ANONYMOUS && user.name === null;
}

/** Who did something here. */
export function userName(say: Say, user: Named | null): string {
  if (user === null) return '–';
  return user.name ?? (isAnonymous(user) ? say('somebody') : user.id);
}

/** Types whose content comes with the message. A file may follow later, and a missed call has none. */
const TYPES_WITH_CONTENT = new Set(['Text', 'ButtonReply', 'Location', 'Contact', 'Contacts']);

/** What a message without content is called: its type, and whether the content was erased. */
export function contentless(say: Say, { type, erased }: Pick<Message, 'type' | 'erased'>): string {
  if (!erased && (type === null || !TYPES_WITH_CONTENT.has(type))) return named(say, type) || '–';
  if (type === null) return say('erasedContent');
  return type === 'Text' ? say('erasedText') : `${named(say, type)} · ${say('erasedContent')}`;
}

/** The words of a message in one line; of one without words its type. A viewer is shown no words. */
export function lastWords(say: Say, { text, type, deleted }: MessageSummary, role: User['role']): string {
  if (deleted) return say('deleted');
  return text ?? `[${type === 'Text' && role !== 'viewer' ? say('erasedText') : named(say, type)}]`;
}
