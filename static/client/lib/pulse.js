// @ts-check
/**
 * Is the data path alive? The hub's heartbeat travels where updates travel, so only frames that came that way count:
 * a socket that answers pings and brings nothing else is dead.
 *
 * No clock is read here: timers run on one that nobody can set, so a dead line is noticed as soon after the machine's
 * clock was put back as at any other time. A machine that sleeps stops them; waking up is noticed elsewhere.
 */

/** @import { Runtime } from '../types.d.ts' */

/** Heartbeats that may be late before the hub is asked whether it is there. */
export const DOUBT_BEATS = 1.2;
/** Heartbeats without any data after which the session is given up. */
export const SILENCE_BEATS = 2.5;
/** A probe that nothing follows for so long is unanswered. */
export const PROBE_MS = 4_000;

export class Pulse {
  #runtime;
  #events;
  #beatMs = 0;
  /** Until the silence is long enough to be doubted, and then to be the end. @type {unknown} */ #timer = null;
  /** @type {unknown} */ #probeTimer = null;

  /** @param {Runtime} runtime @param {{ probe(): void, silent(): void }} events */
  constructor(runtime, events) {
    this.#runtime = runtime;
    this.#events = events;
  }

  get isProbing() {
    return this.#probeTimer !== null;
  }

  /** @param {number} beatMs */
  start(beatMs) {
    this.#beatMs = beatMs;
    this.#listen();
  }

  /** A frame came. @param {boolean} isData false for a mere `pong` */
  heard(isData) {
    if (this.#probeTimer !== null) this.#runtime.clearTimeout(this.#probeTimer);
    this.#probeTimer = null;
    // Before the greeting the length of a heartbeat is not known, and after the end nothing is listened for.
    if (isData && this.#timer !== null) this.#listen();
  }

  /** The hub was asked whether it is there. */
  probing() {
    this.#probeTimer = this.#runtime.setTimeout(() => this.#events.silent(), PROBE_MS);
  }

  stop() {
    this.#clear();
    this.heard(false);
  }

  /** The silence begins anew. */
  #listen() {
    this.#clear();
    this.#timer = this.#runtime.setTimeout(() => this.#doubt(), DOUBT_BEATS * this.#beatMs);
  }

  #doubt() {
    this.#timer = this.#runtime.setTimeout(() => this.#events.silent(), (SILENCE_BEATS - DOUBT_BEATS) * this.#beatMs);
    this.#events.probe();
  }

  #clear() {
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
    this.#timer = null;
  }
}
