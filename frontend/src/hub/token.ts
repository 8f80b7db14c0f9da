/** The user's token: in memory, and in this tab's sessionStorage where the user wants that and the browser lets us. Never in an address. */

import { forTab } from 'umbler-hub-client/storage';

const KEY = 'umbler-hub-token';

export function storedToken(): string | null {
  return forTab.getItem(KEY);
}

export function storeToken(token: string | null) {
  if (token === null) forTab.removeItem(KEY);
  else forTab.setItem(KEY, token);
}
