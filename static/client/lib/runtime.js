// @ts-check
/** What the client takes from its surroundings. Time and randomness come in as values, so tests bring their own. */

import { forTab } from '../storage.js';

/** @import { Runtime } from '../types.d.ts' */

/** @returns {Runtime} */
export function browserRuntime() {
  const page = typeof document === 'undefined' ? null : document;
  return {
    now: () => Date.now(),
    steady: () => performance.now(),
    random: () => Math.random(),
    setTimeout: (run, ms) => globalThis.setTimeout(run, ms),
    clearTimeout: (timer) => globalThis.clearTimeout(timer),
    WebSocket: globalThis.WebSocket ?? null,
    fetch: globalThis.fetch ? globalThis.fetch.bind(globalThis) : null,
    storage: page === null ? null : forTab,
    window: typeof window === 'undefined' ? null : window,
    document: page,
    pageUrl: globalThis.location?.href ?? null,
  };
}
