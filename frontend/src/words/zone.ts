/** The time zone of the team, in which its days turn: the hub's, for everybody who looks; the browser's until the hub tells. */

import { Store } from '../hub/store.ts';

/** Undefined: the browser's. */
export const zone = new Store<string | undefined>(undefined);

/** The hub has told. A name that this browser does not know changes nothing. */
export function setZone(name: string) {
  if (name !== zone.get() && isKnown(name)) zone.set(name);
}

function isKnown(name: string): boolean {
  try {
    new Intl.DateTimeFormat('en', { timeZone: name });
    return true;
  } catch {
    return false;
  }
}
