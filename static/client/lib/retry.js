// @ts-check
/** When to try again, and by which way: WebSocket, or an event stream where WebSockets do not get through. */

import { Backoff } from './backoff.js';
import { CLOSE } from './envelope.js';

/** @import { HubOptions, Runtime } from '../types.d.ts' */
/** @import { End } from './session.js' */

/** WebSockets that brought nothing, in a row, before a stream is tried. */
export const FAILURES_BEFORE_STREAM = 3;
/** The same where a WebSocket has worked before: then it is rather the hub that is away. */
export const FAILURES_AFTER_SUCCESS = 6;
/** On a stream, a WebSocket is tried again after this: the hub may just have been away when it failed. */
export const WEBSOCKET_AGAIN_FIRST_MS = 10_000;
/** And then after this long. */
export const WEBSOCKET_AGAIN_MS = 5 * 60_000;
/** A connection that held for so long has succeeded; one that breaks earlier counts as one more failure. */
export const HELD_MS = 5_000;
/** Advice of the hub that is longer than this is not believed. */
export const ADVICE_MS_MAX = 5 * 60_000;

export class Retry {
  #runtime;
  #backoff;
  /** WebSockets that brought nothing, in a row. */
  #blocked = 0;
  /** A WebSocket has worked here. */
  #worked = false;
  /** WebSockets that were tried beside a stream. */
  #upgrades = 0;
  /** The last attempt was a stream that brought nothing either. */
  #streamFailed = false;
  #connectedAt = /** @type {number | null} */ (null);
  /** @type {unknown} */ #timer = null;
  /** The hub named the moment: nothing hurries it. */
  #advised = false;
  /** @type {(() => void) | null} */ #run = null;

  /** @param {Runtime} runtime */
  constructor(runtime) {
    this.#runtime = runtime;
    this.#backoff = new Backoff(() => runtime.random());
  }

  get attempts() {
    return this.#backoff.attempts;
  }

  /** @param {HubOptions['transport']} transport @returns {'websocket' | 'stream'} */
  way(transport) {
    if (transport === 'websocket' || transport === 'stream') return transport;
    if (this.#runtime.WebSocket === null) return 'stream';
    // While neither gets through (the hub is down) the two take turns.
    const enough = this.#worked ? FAILURES_AFTER_SUCCESS : FAILURES_BEFORE_STREAM;
    const blocked = this.#blocked >= enough && !this.#streamFailed;
    return blocked && this.#runtime.fetch !== null ? 'stream' : 'websocket';
  }

  connected() {
    this.#connectedAt ??= this.#runtime.steady();
  }

  /** How long to stay with a stream before a WebSocket is tried again. */
  upgradeWait() {
    const wait = this.#upgrades === 0 ? WEBSOCKET_AGAIN_FIRST_MS : WEBSOCKET_AGAIN_MS;
    this.#upgrades += 1;
    return wait * (0.75 + this.#runtime.random() / 2);
  }

  /** Takes note of an end. @param {End} end @param {'websocket' | 'stream'} way */
  ended(end, way) {
    if (way === 'websocket') {
      this.#blocked = end.greeted ? 0 : this.#blocked + 1;
      if (end.greeted) this.#upgrades = 0;
      this.#worked ||= end.greeted;
      this.#streamFailed = false;
    } else {
      this.#streamFailed = !end.greeted;
    }
    const held = this.#connectedAt !== null && this.#runtime.steady() - this.#connectedAt >= HELD_MS;
    if (held) this.#backoff.reset();
    this.#connectedAt = null;
  }

  /** Runs it when it is time. @param {End} end @param {() => void} run */
  schedule(end, run) {
    const advice = end.retryAfterMs;
    this.#advised = typeof advice === 'number' && advice >= 0;
    const wait = this.#advised ? Math.min(Number(advice), ADVICE_MS_MAX) : this.#backoff.next();
    // A token that ran out is no failure of the hub, and the way is open.
    this.#set(end.code === CLOSE.TOKEN_EXPIRED && this.#backoff.attempts <= 1 ? 0 : wait, run);
  }

  /** There is a reason to believe that it works now. */
  hurry() {
    if (this.#run !== null && !this.#advised) this.#set(0, this.#run);
  }

  /** @param {number} wait @param {() => void} run */
  #set(wait, run) {
    this.cancel();
    this.#run = run;
    this.#timer = this.#runtime.setTimeout(() => {
      this.#run = this.#timer = null;
      run();
    }, wait);
  }

  cancel() {
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
    this.#run = this.#timer = null;
  }

  /** The user starts anew. */
  reset() {
    this.cancel();
    this.#backoff.reset();
    this.#blocked = this.#upgrades = 0;
    this.#streamFailed = this.#advised = false;
    this.#connectedAt = null;
  }
}
