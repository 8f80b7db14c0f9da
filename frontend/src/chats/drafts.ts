/** What somebody began to write, for each chat: kept in this tab, and gone with it. */

import { forTab } from 'umbler-hub-client/storage';

const KEY = 'umbler-hub-draft ';
/** Where the browser keeps nothing, a draft lives as long as the page. */
const written = new Map<string, string>();

export function draftOf(chat: string): string {
  return written.get(chat) ?? forTab.getItem(KEY + chat) ?? '';
}

export function keepDraft(chat: string, text: string) {
  written.set(chat, text);
  if (text === '') forTab.removeItem(KEY + chat);
  else forTab.setItem(KEY + chat, text);
}
