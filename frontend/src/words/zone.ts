/**
 * The time zone of the team, in which its days turn: the hub's, for everybody who looks. Until the hub tells it is the one that this
 * browser was told last, so that a page asks nothing of the wrong days and then again; in a new browser it is the browser's.
 */

import { forBrowser } from 'umbler-hub-client/storage';

import { Store } from '../hub/store.ts';

const KEY = 'umbler-hub-zone';

/** Undefined: the browser's. */
export const zone = new Store<string | undefined>(keptZone());

/** The hub has told. A name that this browser does not know changes nothing. */
export function setZone(name: string) {
  if (name === zone.get() || !isKnown(name)) return;
  zone.set(name);
  forBrowser.setItem(KEY, name);
}

function keptZone(): string | undefined {
  const kept = forBrowser.getItem(KEY);
  return kept !== null && isKnown(kept) ? kept : undefined;
}

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
