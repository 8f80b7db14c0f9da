// @ts-check
/** One WebSocket as a link: envelopes in, envelopes out, closed once. */

import { encodeEnvelope, parseEnvelope } from './envelope.js';

/** @import { Envelope, Runtime } from '../types.d.ts' */

/**
 * What a link tells.
 *
 * @typedef {object} LinkEvents
 * @property {(envelope: Envelope) => void} heard
 * @property {(end: LinkEnd) => void} closed at most once, and never after `close()`
 */

/**
 * @typedef {object} LinkEnd
 * @property {number} code a close code; 1006 where there was none
 * @property {string} [message] what is known of the reason
 * @property {number} [status] the HTTP status of a refused event stream
 * @property {number} [retryAfterMs] when the hub wants us back
 */

export class WebSocketLink {
  kind = /** @type {const} */ ('websocket');
  /** @type {WebSocket} */
  #socket;
  /** @type {LinkEvents | null} */
  #events;

  /** @param {Runtime} runtime @param {string} url @param {LinkEvents} events */
  constructor(runtime, url, events) {
    if (runtime.WebSocket === null) throw new Error('there is no WebSocket here');
    this.#events = events;
    this.#socket = new runtime.WebSocket(url);
    this.#socket.addEventListener('message', ({ data }) => this.#hear(data));
    this.#socket.addEventListener('close', ({ code, reason }) => this.#end({ code, message: reason }));
    // A close follows, and says as much: browsers tell pages nothing of the reason.
    this.#socket.addEventListener('error', () => {});
  }

  /** @param {string} event @param {object} [data] @param {string} [id] */
  send(event, data, id) {
    if (this.#socket.readyState === 1) this.#socket.send(encodeEnvelope(event, data, id));
  }

  close() {
    this.#events = null;
    this.#socket.close(1000);
  }

  /** @param {unknown} data */
  #hear(data) {
    const envelope = typeof data === 'string' ? parseEnvelope(data) : null;
    if (envelope !== null) this.#events?.heard(envelope);
  }

  /** @param {LinkEnd} end */
  #end(end) {
    const events = this.#events;
    this.#events = null;
    events?.closed(end);
  }
}
