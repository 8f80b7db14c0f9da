// @ts-check
/** Who waits for a snapshot, how large it is to be, and the updates that came while it was on its way. */

import { DEFAULT_LIMITS } from './state.js';

/** @import { Envelope, Snapshot, SnapshotLimits, Update } from '../types.d.ts' */
/** @import { HubState } from './state.js' */
/** @typedef {{ resolve(snapshot: Snapshot): void, reject(error: Error): void }} Waiter */

/** Updates that are kept while a snapshot is on its way; with more, another one is asked for. */
export const TAIL_MAX = 20_000;

export class Snapshots {
  /** True once somebody asked: from then on the state is kept current. */
  wanted = false;
  /** @type {Required<SnapshotLimits>} */
  #limits = { ...DEFAULT_LIMITS };
  /** @type {Waiter[]} */ #waiters = [];
  /** @type {Envelope<Update>[]} */ #tail = [];
  #overflown = false;

  get limits() {
    return this.#limits;
  }

  get isAwaited() {
    return this.#waiters.length > 0;
  }

  /** @param {SnapshotLimits | undefined} limits @returns {Promise<Snapshot>} */
  want(limits) {
    this.wanted = true;
    if (limits) this.#limits = { ...this.#limits, ...limits };
    return new Promise((resolve, reject) => this.#waiters.push({ resolve, reject }));
  }

  /** An update came while a snapshot was on its way: the snapshot may be older. @param {Envelope<Update>} envelope */
  keep(envelope) {
    this.#overflown ||= this.#tail.length >= TAIL_MAX;
    if (!this.#overflown) this.#tail.push(envelope);
  }

  /**
   * Takes over a snapshot, and the updates after it.
   *
   * @param {HubState} state @param {Snapshot} snapshot @param {SnapshotLimits} limits what it was asked with
   * @returns {boolean} false where another one is needed
   */
  take(state, snapshot, limits) {
    state.replace(snapshot, limits);
    for (const envelope of this.#tail) state.apply(envelope);
    const complete = !this.#overflown;
    if (!complete) state.interrupt();
    this.forget();
    const asWished = Object.entries(this.#limits).every(([name, limit]) => Reflect.get(limits, name) === limit);
    if (!complete || !asWished) return false;
    for (const waiter of this.#waiters.splice(0)) waiter.resolve(snapshot);
    return true;
  }

  /** The session is over, and with it the snapshot on its way. */
  forget() {
    this.#tail = [];
    this.#overflown = false;
  }

  /** The hub refused; what is held goes on as it was. @param {Error} error @param {Required<SnapshotLimits>} limits */
  refuse(error, limits) {
    this.#limits = limits;
    for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
  }
}
