/** The user's token: in memory, and in this tab's sessionStorage where the user wants that. Never in an address. */

const KEY = 'umbler-hub-token';

export function storedToken(): string | null {
  return sessionStorage.getItem(KEY);
}

export function storeToken(token: string | null) {
  if (token === null) sessionStorage.removeItem(KEY);
  else sessionStorage.setItem(KEY, token);
}
