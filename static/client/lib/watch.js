// @ts-check
/** Signs that the connection should be looked at now: the network is back, the page is shown again, the machine woke. */

/** @import { Runtime } from '../types.d.ts' */

/** How often the clock is looked at. */
export const TICK_MS = 5_000;
/** A tick that comes later than this comes after a sleep; hidden pages are slowed down to one a minute. */
export const SLEEP_MS = 90_000;

export class Watch {
  #runtime;
  #woke;
  #left;
  /** @type {unknown} */ #timer = null;
  #tickedAt = 0;
  /** @type {[EventTarget, string, () => void][]} */
  #listening = [];

  /** @param {Runtime} runtime @param {() => void} woke @param {() => void} left the page may not come back */
  constructor(runtime, woke, left) {
    this.#runtime = runtime;
    this.#woke = woke;
    this.#left = left;
  }

  start() {
    if (this.#timer !== null) return;
    const { window, document } = this.#runtime;
    if (window !== null) {
      this.#listen(window, 'online', this.#woke);
      this.#listen(window, 'offline', this.#woke);
      this.#listen(window, 'pageshow', this.#woke);
      this.#listen(window, 'pagehide', this.#left);
    }
    if (document !== null) {
      this.#listen(document, 'visibilitychange', () => {
        if (document.visibilityState === 'visible') this.#woke();
        else this.#left();
      });
    }
    this.#tickedAt = this.#runtime.now();
    this.#tick();
  }

  stop() {
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
    this.#timer = null;
    for (const [target, event, listener] of this.#listening) target.removeEventListener(event, listener);
    this.#listening = [];
  }

  #tick() {
    const now = this.#runtime.now();
    if (now - this.#tickedAt > SLEEP_MS) this.#woke();
    this.#tickedAt = now;
    this.#timer = this.#runtime.setTimeout(() => this.#tick(), TICK_MS);
  }

  /** @param {EventTarget} target @param {string} event @param {() => void} listener */
  #listen(target, event, listener) {
    target.addEventListener(event, listener);
    this.#listening.push([target, event, listener]);
  }
}
