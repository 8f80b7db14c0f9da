// @ts-check
/** What the client takes from its surroundings. Wall time and randomness come in as values, so tests bring their own. */

/** @import { Runtime } from '../types.d.ts' */

/** @returns {Runtime['storage']} null where the browser forbids it */
function sessionStorageIfAllowed() {
  try {
    return globalThis.sessionStorage ?? null;
  } catch {
    return null;
  }
}

/** @returns {Runtime} */
export function browserRuntime() {
  const page = typeof document === 'undefined' ? null : document;
  return {
    now: () => Date.now(),
    random: () => Math.random(),
    setTimeout: (run, ms) => globalThis.setTimeout(run, ms),
    clearTimeout: (timer) => globalThis.clearTimeout(timer),
    WebSocket: globalThis.WebSocket ?? null,
    fetch: globalThis.fetch ? globalThis.fetch.bind(globalThis) : null,
    storage: page === null ? null : sessionStorageIfAllowed(),
    window: typeof window === 'undefined' ? null : window,
    document: page,
    pageUrl: globalThis.location?.href ?? null,
  };
}
