// @ts-check
/** The hub's REST rows, with the token where it belongs: in a header. */

import { HubError } from './envelope.js';

/** @import { Runtime } from '../types.d.ts' */

/**
 * @typedef {object} Ask
 * @property {string} [method]
 * @property {Record<string, string | number | undefined>} [query]
 * @property {unknown} [body] a text and a `Blob` go as they are, everything else as JSON
 * @property {string} [type] what the text or the `Blob` is
 * @property {string} [accept]
 * @property {string} [ifMatch] the entity tag of what the body was made from
 */

/** A question that takes longer than this, its answer read to the end, will not be answered. */
export const ANSWER_MS = 30_000;
/** The same where the answer is a file, which may be long. What is sent to the hub, it reads for 20 s at most. */
export const FILE_MS = 300_000;

/**
 * @param {Runtime} runtime
 * @param {string} base
 * @param {string} path
 * @param {string | null} token
 * @param {Ask} [ask]
 * @returns {Promise<any>}
 */
export function askForJson(runtime, base, path, token, ask = {}) {
  return inTime(runtime, ANSWER_MS, async (signal) => {
    const response = await answerTo(runtime, base, path, token, ask, signal);
    const body = await response.json().catch(() => null);
    if (body === null) throw new HubError(`http_${response.status}`, `the hub answered ${response.status}`);
    return body;
  });
}

/**
 * @param {Runtime} runtime
 * @param {string} base
 * @param {string} path
 * @param {string | null} token
 * @param {Ask} ask
 * @returns {Promise<Blob>}
 */
export function askForFile(runtime, base, path, token, ask) {
  return inTime(runtime, FILE_MS, async (signal) => {
    const response = await answerTo(runtime, base, path, token, ask, signal);
    return response.blob();
  });
}

/**
 * @param {Runtime} runtime
 * @param {string} base
 * @param {string} path
 * @param {string | null} token
 * @param {Ask} ask
 * @param {AbortSignal} signal
 */
async function answerTo(
  runtime,
  base,
  path,
  token,
  { method = 'GET', query = {}, body, type = 'text/plain', accept, ifMatch },
  signal,
) {
  if (runtime.fetch === null) throw new HubError('unreachable', 'there is no fetch here');
  const url = new URL(base + path);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  /** @type {Record<string, string>} */
  const headers = {};
  if (token !== null) headers.authorization = `Bearer ${token}`;
  if (accept !== undefined) headers.accept = accept;
  if (ifMatch !== undefined) headers['if-match'] = ifMatch;
  /** @type {RequestInit} */
  const options = { headers, credentials: 'omit', signal };
  if (method !== 'GET') options.method = method;
  if (body !== undefined) {
    headers['content-type'] = isWhole(body) ? type : 'application/json';
    options.body = isWhole(body) ? body : JSON.stringify(body);
  }
  /** @type {Response} */
  let response;
  try {
    response = await runtime.fetch(url, options);
  } catch (cause) {
    throw new HubError('unreachable', `the hub does not answer at ${base}`, { temporary: true, cause });
  }
  if (response.ok) return response;
  throw refusal(response.status, await response.json().catch(() => null));
}

/** Goes as it is. @param {unknown} body @returns {body is string | Blob} */
function isWhole(body) {
  return typeof body === 'string' || body instanceof Blob;
}

/**
 * Whoever asks waits no longer than this: a line that hangs ends in an error, as one that breaks does.
 *
 * @template T
 * @param {Runtime} runtime
 * @param {number} ms
 * @param {(signal: AbortSignal) => Promise<T>} ask
 * @returns {Promise<T>}
 */
function inTime(runtime, ms, ask) {
  const abort = new AbortController();
  return new Promise((resolve, reject) => {
    const timer = runtime.setTimeout(() => {
      // Before the abort, which would be told as a hub that cannot be reached.
      reject(new HubError('unreachable', `the hub did not answer within ${ms / 1000} s`, { temporary: true }));
      abort.abort();
    }, ms);
    ask(abort.signal)
      .then(resolve, reject)
      .finally(() => runtime.clearTimeout(timer));
  });
}

/** @param {number} status @param {any} body */
function refusal(status, body) {
  const temporary = status === 429 || status >= 500;
  const { code = `http_${status}`, message = `the hub answered ${status}`, parameter = null } = body?.error ?? {};
  return new HubError(status === 401 ? 'unauthorized' : code, message, { temporary, parameter });
}
