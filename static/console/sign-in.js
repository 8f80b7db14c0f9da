// @ts-check
/** A token where the hub wants one. It is kept for this tab only, and never leaves it but for the hub. */

import hub from '../client/index.js';
import { forTab } from '../client/storage.js';
import { byId, say } from './dom.js';

const TOKEN = 'umbler-hub:token';

/** The token of an earlier visit in this tab. */
export function keptToken() {
  return forTab.getItem(TOKEN);
}

export function signIn() {
  const form = /** @type {HTMLFormElement} */ (byId('sign-in'));
  const field = /** @type {HTMLInputElement} */ (byId('token'));
  const error = byId('sign-in-error');
  let tried = false;

  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    tried = true;
    const token = field.value.trim();
    try {
      await hub.connect(token);
      keep(token);
      field.value = '';
      hub.requestUmblerData();
    } catch {
      // `draw` says why.
    }
  });
  byId('sign-out').addEventListener('click', () => {
    keep(null);
    location.reload();
  });

  return function draw() {
    const wanted = hub.status === 'unauthorized';
    const appears = wanted && form.hidden;
    form.hidden = !wanted;
    byId('main').hidden = wanted;
    // Signed in without a token that is kept: the browser keeps nothing.
    byId('sign-out').hidden = wanted || (keptToken() === null && hub.user === null);
    byId('who').hidden = hub.user === null;
    say(byId('who'), hub.user?.name ?? hub.user?.id ?? '');
    say(error, wanted && (tried || keptToken() !== null) ? (hub.error?.message ?? '') : '');
    if (appears) field.focus();
  };
}

/** @param {string | null} token */
function keep(token) {
  if (token === null) forTab.removeItem(TOKEN);
  else forTab.setItem(TOKEN, token);
}
