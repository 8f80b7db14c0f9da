// @ts-check
/** What is said on the wire: envelopes, refusals, and what a close code asks of the client. */

/** @import { Envelope } from '../types.d.ts' */

/** What went wrong, in a form that a program can act on. */
export class HubError extends Error {
  /**
   * @param {string} code a code of the hub's table, or one of the client's own: `unreachable`, `connection_lost`,
   *   `disconnected`, `token_unavailable`
   * @param {string} message
   * @param {{ temporary?: boolean, closeCode?: number | null, cause?: unknown, parameter?: string | null, reason?: string | null }} [more]
   */
  constructor(code, message, { temporary = false, closeCode = null, cause, parameter = null, reason = null } = {}) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'HubError';
    this.code = code;
    /** True where the same may succeed later, unchanged. */
    this.temporary = temporary;
    /** The socket's close code, where it was one. */
    this.closeCode = closeCode;
    /** Which parameter or field REST refused. */
    this.parameter = parameter;
    /** Why a stretch of the past cannot be replayed, where the hub said so in a word. */
    this.reason = reason;
  }
}

/**
 * @param {string} text
 * @returns {Envelope | null} null for what is no envelope
 */
export function parseEnvelope(text) {
  let value;
  try {
    value = JSON.parse(text);
  } catch {
    return null;
  }
  if (value === null || typeof value !== 'object' || typeof value.event !== 'string') return null;
  return { ...value, data: value.data ?? {} };
}

/** @param {string} event @param {object} [data] @param {string} [id] */
export function encodeEnvelope(event, data, id) {
  return JSON.stringify({ event, ...(id === undefined ? {} : { id }), ...(data === undefined ? {} : { data }) });
}

/** @param {Envelope} envelope an `error` */
export function refusal({ data }) {
  const { code = 'unknown', message = 'the hub refused', temporary, reason = null } = data;
  return new HubError(code, message, { temporary: temporary === true, reason });
}

/** The hub's close codes that the client tells apart. */
export const CLOSE = Object.freeze({
  DRAIN: 4000,
  TOKEN_EXPIRED: 4003,
  REVOKED: 4500,
  REFUSED: 4501,
  LIMIT: 4502,
  PROTOCOL_ABUSE: 4503,
});

/** @type {Record<number, [code: string, message: string]>} */
const FINAL = {
  [CLOSE.REVOKED]: ['unauthorized', 'the hub has revoked this user'],
  [CLOSE.REFUSED]: ['unauthorized', 'the hub refused the token three times'],
  [CLOSE.LIMIT]: ['limit', 'the hub has no room for another session'],
  [CLOSE.PROTOCOL_ABUSE]: ['protocol_abuse', 'the hub closed the socket because of wrong frames'],
};

/**
 * The range of a close code tells what to do: 4500-4999 stay away, everything else comes back.
 *
 * @param {number} code
 * @returns {HubError | null} why not to come back
 */
export function finalClose(code) {
  if (code < 4500 || code > 4999) return null;
  const [name, message] = FINAL[code] ?? ['refused', `the hub closed the socket for good with ${code}`];
  return new HubError(name, message, { closeCode: code });
}
