// @ts-check
/**
 * Is the data path alive? The hub's heartbeat travels where updates travel, so only frames that came that way count:
 * a socket that answers pings and brings nothing else is dead.
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
  #dataAt = 0;
  #probed = false;
  /** @type {unknown} */ #timer = null;
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
    this.#dataAt = this.#runtime.now();
    this.#wait(DOUBT_BEATS * beatMs);
  }

  /** A frame came. @param {boolean} isData false for a mere `pong` */
  heard(isData) {
    if (this.#probeTimer !== null) this.#runtime.clearTimeout(this.#probeTimer);
    this.#probeTimer = null;
    if (!isData) return;
    this.#dataAt = this.#runtime.now();
    this.#probed = false;
  }

  /** The hub was asked whether it is there. */
  probing() {
    this.#probeTimer = this.#runtime.setTimeout(() => this.#events.silent(), PROBE_MS);
  }

  stop() {
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
    this.heard(false);
    this.#timer = null;
  }

  /** One timer that looks when it is due, instead of one that each frame sets anew. @param {number} ms */
  #wait(ms) {
    this.#timer = this.#runtime.setTimeout(() => this.#look(), ms);
  }

  #look() {
    const silence = this.#runtime.now() - this.#dataAt;
    const [doubt, end] = [DOUBT_BEATS * this.#beatMs, SILENCE_BEATS * this.#beatMs];
    if (silence >= end) return this.#events.silent();
    if (silence < doubt) return this.#wait(doubt - silence);
    this.#wait(end - silence);
    if (!this.#probed) {
      this.#probed = true;
      this.#events.probe();
    }
  }
}
