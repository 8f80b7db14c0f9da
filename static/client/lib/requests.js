// @ts-check
/** Questions that the hub has not answered yet. */

import { HubError, refusal } from './envelope.js';

/** @import { Envelope, Runtime } from '../types.d.ts' */
/** @import { Link } from './link.js' */
/** @typedef {(data: any) => void} Done */
/** @typedef {(error: HubError) => void} Failed */

/** An answer that takes longer than this will not come. */
export const ANSWER_MS = 15_000;

export class Requests {
  /** @type {Map<string, { done: Done, failed: Failed, timer: unknown }>} */
  #pending = new Map();
  #nextId = 1;
  #runtime;
  #late;

  /** @param {Runtime} runtime @param {(event: string) => void} late */
  constructor(runtime, late) {
    this.#runtime = runtime;
    this.#late = late;
  }

  /** @param {Link} link @param {string} event @param {object} data @param {Done} done @param {Failed} failed */
  send(link, event, data, done, failed) {
    const id = String(this.#nextId++);
    this.#pending.set(id, { done, failed, timer: this.#runtime.setTimeout(() => this.#late(event), ANSWER_MS) });
    link.send(event, data, id);
  }

  /** Answers the question that this frame answers. @param {Envelope} envelope @returns {boolean} false where there is none */
  settle(envelope) {
    const id = envelope.id === undefined ? '' : String(envelope.id);
    const pending = this.#pending.get(id);
    if (pending === undefined) return false;
    this.#pending.delete(id);
    this.#runtime.clearTimeout(pending.timer);
    if (envelope.event === 'error') pending.failed(refusal(envelope));
    else pending.done(envelope.data);
    return true;
  }

  /** No answer will come any more. @param {HubError} error */
  fail(error) {
    const left = [...this.#pending.values()];
    this.#pending.clear();
    for (const { failed, timer } of left) {
      this.#runtime.clearTimeout(timer);
      failed(error);
    }
  }
}
