// @ts-check
/**
 * What time it is on the hub. Deadlines, waits and days are the hub's, and the clock of this machine may be wrong, so the
 * hub's frames tell the time, and a clock that nobody can set counts on from there.
 */

/** @import { Envelope, Runtime } from '../types.d.ts' */

/**
 * Frames that are written when they are sent. An update bears the moment at which the hub received the delivery, which may
 * be long ago.
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
    if (!CLOCK_EVENTS.includes(event) || Number.isNaN(at)) return;
    // A hub that was started again may have had its clock set.
    if (event === 'connection_established') this.#offsets = [];
    this.#offsets = [...this.#offsets, at - this.#runtime.steady()].slice(-FRAMES_MAX);
  }
}
