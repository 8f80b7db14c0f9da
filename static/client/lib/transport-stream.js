// @ts-check
/**
 * An event stream over fetch as a link, for networks that let no WebSocket through: the same envelopes, one way.
 *
 * What is followed stands in the address, so another wish is another stream; the token goes in a header, never there.
 */

import { parseEnvelope } from './envelope.js';
import { EventStreamParser } from './event-stream.js';

/** @import { Runtime, SnapshotLimits } from '../types.d.ts' */
/** @import { LinkEnd, LinkEvents } from './transport-websocket.js' */

/**
 * @typedef {object} StreamWish
 * @property {() => Promise<string | null>} token
 * @property {string[]} channels
 * @property {import('./position.js').Place | null} place where to go on from; null asks for a snapshot first
 * @property {SnapshotLimits} limits
 */

/** @param {string} base @param {StreamWish} wish */
export function streamUrl(base, { channels, place, limits }) {
  const query = new URLSearchParams();
  if (channels.length > 0) query.set('channels', channels.join(','));
  if (place !== null) {
    query.set('since', String(place.seq));
    query.set('epoch', place.epoch);
    if (place.scope !== null) query.set('scope', place.scope);
  }
  for (const [name, limit] of Object.entries(limits)) {
    if (limit !== undefined) query.set(name, String(limit));
  }
  return `${base}/api/umbler/stream?${query}`;
}

export class StreamLink {
  kind = /** @type {const} */ ('stream');
  /** What the hub was asked with. @type {string | null} */ token = null;
  #abort = new AbortController();
  /** @type {LinkEvents | null} */
  #events;

  /** @param {Runtime} runtime @param {string} base the hub's REST address @param {StreamWish} wish @param {LinkEvents} events */
  constructor(runtime, base, wish, events) {
    if (runtime.fetch === null) throw new Error('there is no fetch here');
    this.#events = events;
    this.#run(runtime.fetch, base, wish).then(
      (end) => this.#end(end),
      (error) => this.#end({ code: 1006, message: error instanceof Error ? error.message : String(error) }),
    );
  }

  /** Nothing can be said on an event stream. */
  send() {}

  close() {
    this.#events = null;
    this.#abort.abort();
  }

  /** @param {NonNullable<Runtime['fetch']>} fetch @param {string} base @param {StreamWish} wish @returns {Promise<LinkEnd>} */
  async #run(fetch, base, wish) {
    this.token = await wish.token();
    const response = await fetch(streamUrl(base, wish), {
      headers: headersOf(this.token, wish.place),
      cache: 'no-store',
      credentials: 'omit',
      signal: this.#abort.signal,
    });
    const type = response.headers.get('content-type') ?? '';
    if (!response.ok || !type.startsWith('text/event-stream') || response.body === null) {
      await response.body?.cancel();
      return { code: 1006, status: response.status, ...retryAfter(response) };
    }
    /** @type {LinkEnd} */
    let end = { code: 1006, message: 'the stream ended' };
    const parser = new EventStreamParser((data) => {
      const envelope = parseEnvelope(data);
      // What the close frame is on a socket.
      if (envelope?.event === 'closed') end = { code: envelope.data.code, message: envelope.data.reason };
      else if (envelope !== null) this.#events?.heard(envelope);
    });
    const text = new TextDecoder();
    const reader = response.body.getReader();
    for (;;) {
      const { done, value } = await reader.read();
      if (done) return end;
      parser.push(text.decode(value, { stream: true }));
    }
  }

  /** @param {LinkEnd} end */
  #end(end) {
    const events = this.#events;
    this.#events = null;
    events?.closed(end);
  }
}

/** @param {string | null} token @param {StreamWish['place']} place @returns {Record<string, string>} */
function headersOf(token, place) {
  return {
    accept: 'text/event-stream',
    ...(token === null ? {} : { authorization: `Bearer ${token}` }),
    ...(place === null ? {} : { 'last-event-id': `${place.epoch}:${place.seq}` }),
  };
}

/** @param {Response} response */
function retryAfter(response) {
  const seconds = Number(response.headers.get('retry-after') ?? NaN);
  return Number.isFinite(seconds) ? { retryAfterMs: seconds * 1000 } : {};
}
