// @ts-check
/** Where the hub is: as configured, else as the build says, else where the page came from. */

import { HubError } from './envelope.js';

/** Vite puts `VITE_WEBSOCKET_URL` here; without Vite there is no `env`. */
function builtUrl() {
  // The whole expression in one piece: that is what Vite replaces in a build.
  // biome-ignore lint/suspicious/noTsIgnore: an error only where Vite's types are absent
  // @ts-ignore: `env` is Vite's
  return import.meta.env?.VITE_WEBSOCKET_URL;
}

/**
 * The socket's address.
 *
 * @param {string | null | undefined} configured
 * @param {string | null} pageUrl
 * @returns {string}
 */
export function socketUrl(configured, pageUrl) {
  const given = configured || builtUrl() || '/ws';
  let url;
  try {
    url = new URL(given, pageUrl ?? undefined);
  } catch (cause) {
    throw new HubError('bad_url', `no address of a hub: ${given}; use configure({ url })`, { cause });
  }
  const scheme = { 'http:': 'ws:', 'https:': 'wss:', 'ws:': 'ws:', 'wss:': 'wss:' }[url.protocol];
  if (scheme === undefined || !url.host) {
    throw new HubError('bad_url', `no address of a hub: ${given}; ws, wss, http and https are known`);
  }
  const path = url.pathname === '/' ? '/ws' : url.pathname;
  // No query, no fragment, no user name: nothing secret ever stands in the address.
  return `${scheme}//${url.host}${path}`;
}

/**
 * The hub's REST address, without a slash at the end.
 *
 * @param {string} socket as {@link socketUrl} gives it
 */
export function restBase(socket) {
  const url = new URL(socket);
  const scheme = url.protocol === 'wss:' ? 'https:' : 'http:';
  return `${scheme}//${url.host}${url.pathname.replace(/\/ws\/?$/, '').replace(/\/$/, '')}`;
}
