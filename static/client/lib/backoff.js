// @ts-check
/** How long to wait before the next attempt: exponential with full jitter, so that a thousand screens spread out. */

/** The first wait is at most this long. */
export const BASE_MS = 500;
/** No wait is longer. */
export const CAP_MS = 30_000;

export class Backoff {
  #attempts = 0;
  #random;

  /** @param {() => number} random 0 to 1 */
  constructor(random) {
    this.#random = random;
  }

  /** Failed attempts since the last connection that held. */
  get attempts() {
    return this.#attempts;
  }

  /** The next wait in milliseconds. */
  next() {
    const ceiling = Math.min(CAP_MS, BASE_MS * 2 ** Math.min(this.#attempts, 16));
    this.#attempts += 1;
    return Math.floor(this.#random() * ceiling);
  }

  reset() {
    this.#attempts = 0;
  }
}
