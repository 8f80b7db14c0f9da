// @ts-check
/** Opens a link to the hub, the one way or the other; one that cannot even be tried ends like one that failed. */

import { StreamLink } from './transport-stream.js';
import { WebSocketLink } from './transport-websocket.js';
import { restBase } from './url.js';

/** @import { Runtime } from '../types.d.ts' */
/** @import { LinkEvents } from './transport-websocket.js' */
/** @import { StreamWish } from './transport-stream.js' */
/**
 * @typedef {object} Link
 * @property {'websocket' | 'stream'} kind
 * @property {(event: string, data?: object, id?: string) => void} send
 * @property {() => void} close
 * @property {string | null} [token] what a stream was opened with
 */

/**
 * @param {Runtime} runtime @param {Link['kind']} kind @param {string} url the socket's address
 * @param {() => StreamWish} wish @param {LinkEvents} events
 * @returns {Link}
 */
export function openLink(runtime, kind, url, wish, events) {
  try {
    return kind === 'websocket'
      ? new WebSocketLink(runtime, url, events)
      : new StreamLink(runtime, restBase(url), wish(), events);
  } catch (error) {
    // A page of https may not open `ws:`, for example.
    const message = error instanceof Error ? error.message : String(error);
    runtime.setTimeout(() => events.closed({ code: 1006, message }), 0);
    return { kind, send() {}, close() {} };
  }
}
