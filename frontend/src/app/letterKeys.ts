/** Whether single letters are keys (WCAG 2.1.4): who dictates, or rests a hand on the keyboard, can switch them off. Kept in this browser. */

import { forBrowser } from 'umbler-hub-client/storage';

import { Store } from '../hub/store.ts';

const KEY = 'umbler-hub-letter-keys';

export const letterKeys = new Store(forBrowser.getItem(KEY) !== 'off');

export function setLetterKeys(on: boolean) {
  if (on) forBrowser.removeItem(KEY);
  else forBrowser.setItem(KEY, 'off');
  letterKeys.set(on);
}
