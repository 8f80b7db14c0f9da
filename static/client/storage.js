// @ts-check
/**
 * What a page keeps in the browser. A browser may deny it, in private windows or by a setting, and then throws at every
 * touch; it may also be full. A page works without: nothing is kept, and nothing breaks.
 */

/** @typedef {Pick<Storage, 'getItem' | 'setItem' | 'removeItem'>} Kept */

/** Kept in this browser until somebody clears it. */
export const forBrowser = kept('localStorage');
/** Kept in this tab, through reloads. */
export const forTab = kept('sessionStorage');

/** @param {'localStorage' | 'sessionStorage'} name @returns {Kept} */
function kept(name) {
  return {
    getItem: (key) => tried(name, (storage) => storage.getItem(key)) ?? null,
    setItem: (key, value) => void tried(name, (storage) => storage.setItem(key, value)),
    removeItem: (key) => void tried(name, (storage) => storage.removeItem(key)),
  };
}

/**
 * Looked up each time: the mere look may throw, and the answer may change while the page is open.
 *
 * @template T
 * @param {'localStorage' | 'sessionStorage'} name @param {(storage: Storage) => T} use
 * @returns {T | null} null where the browser does not let us
 */
function tried(name, use) {
  try {
    return use(globalThis[name]);
  } catch {
    return null;
  }
}
