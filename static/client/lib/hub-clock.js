// @ts-check
/**
 * What time it is on the hub. Deadlines, waits and days are the hub's, and the clock of this machine may be wrong, so the
 * hub's frames tell the time, and a clock that nobody can set counts on from there.
 */

/** @import { Envelope, Runtime } from '../types.d.ts' */

/**
 * Frames that tell the time at which they were sent. An update tells when the hub received the delivery, which may be long ago: it
 * only shows that the hub's clock is not behind that.
 */
export const CLOCK_EVENTS = Object.freeze(['connection_established', 'heartbeat', 'pong']);
/** A frame can only be late, never early, so of so many newest frames the one that took the shortest way counts. */
export const FRAMES_MAX = 4;

export class HubClock {
  #runtime;
  /** How far the hub's clock was ahead of the steady one at each of the newest frames. @type {number[]} */
  #offsets = [];

  /** @param {Runtime} runtime */
  constructor(runtime) {
    this.#runtime = runtime;
  }

  /** Milliseconds since 1970; by this machine's own clock before the hub was heard. */
  now() {
    if (this.#offsets.length === 0) return this.#runtime.now();
    return Math.floor(this.#runtime.steady() + Math.max(...this.#offsets));
  }

  /** A frame came. @param {Envelope} envelope */
  hear({ event, timestamp }) {
    const at = timestamp === undefined ? Number.NaN : Date.parse(timestamp);
    if (Number.isNaN(at)) return;
    const offset = at - this.#runtime.steady();
    if (!CLOCK_EVENTS.includes(event)) {
      const newest = this.#offsets.pop();
      if (newest !== undefined) this.#offsets.push(Math.max(newest, offset));
      return;
    }
    // A hub that was started again may have had its clock set.
    if (event === 'connection_established') this.#offsets = [];
    this.#offsets = [...this.#offsets, offset].slice(-FRAMES_MAX);
  }
}
