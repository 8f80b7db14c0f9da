// @ts-check
/** What a screen draws from, and when it is told: at once, but at most once a frame, however fast updates come. */

/** @import { Runtime, Status, UmblerData } from '../types.d.ts' */
/** @typedef {{ readonly status: Status, readonly data: UmblerData, readonly error: import('./envelope.js').HubError | null }} View */

/** About one frame of a display. */
export const FRAME_MS = 16;

export class ViewStore {
  /** @type {View} */ #view;
  /** @type {Set<() => void>} */ #listeners = new Set();
  /** @type {unknown} */ #timer = null;
  #toldAt = -Infinity;
  #runtime;
  #read;
  #told;

  /** @param {Runtime} runtime @param {() => View} read @param {(before: View, now: View) => void} told */
  constructor(runtime, read, told) {
    this.#runtime = runtime;
    this.#read = read;
    this.#told = told;
    this.#view = Object.freeze(read());
  }

  /** The same object while nothing changes. */
  get view() {
    return this.#view;
  }

  /** @param {() => void} listener */
  subscribe(listener) {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Something changed. @param {boolean} [now] do not wait for the next frame */
  touch(now = false) {
    const wait = this.#toldAt + FRAME_MS - this.#runtime.steady();
    if (now || wait <= 0 || wait > FRAME_MS) this.#tell();
    else this.#timer ??= this.#runtime.setTimeout(() => this.#tell(), wait);
  }

  #tell() {
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
    this.#timer = null;
    this.#toldAt = this.#runtime.steady();
    const before = this.#view;
    const next = this.#read();
    if (next.status === before.status && next.data === before.data && next.error === before.error) return;
    this.#view = Object.freeze(next);
    this.#told(before, next);
    for (const listener of [...this.#listeners]) listener();
  }
}
