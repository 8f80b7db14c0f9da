// @ts-check
/** Signs that the connection should be looked at now: the network is back, the page is shown again, the machine woke. */

/** @import { Runtime } from '../types.d.ts' */

/** How often the clock is looked at. */
export const TICK_MS = 5_000;
/**
 * A tick that comes later than this comes after a sleep; hidden pages are slowed down to one a minute. Sleep may stop the
 * steady clock, so the wall clock is looked at too. Where somebody has put that one forward instead, the hub is asked in vain, which
 * does no harm.
 */
export const SLEEP_MS = 90_000;

export class Watch {
  #runtime;
  #woke;
  #left;
  /** @type {unknown} */ #timer = null;
  #tickedAt = 0;
  #tickedSteadily = 0;
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
    this.#wait();
  }

  stop() {
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
    this.#timer = null;
    for (const [target, event, listener] of this.#listening) target.removeEventListener(event, listener);
    this.#listening = [];
  }

  #tick() {
    const passed = this.#runtime.now() - this.#tickedAt;
    const passedSteadily = this.#runtime.steady() - this.#tickedSteadily;
    if (Math.max(passed, passedSteadily) > SLEEP_MS) this.#woke();
    this.#wait();
  }

  #wait() {
    this.#tickedAt = this.#runtime.now();
    this.#tickedSteadily = this.#runtime.steady();
    this.#timer = this.#runtime.setTimeout(() => this.#tick(), TICK_MS);
  }

  /** @param {EventTarget} target @param {string} event @param {() => void} listener */
  #listen(target, event, listener) {
    target.addEventListener(event, listener);
    this.#listening.push([target, event, listener]);
  }
}
