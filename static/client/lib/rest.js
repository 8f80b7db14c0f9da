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

/**
 * @param {Runtime} runtime
 * @param {string} base
 * @param {string} path
 * @param {string | null} token
 * @param {Ask} [ask]
 */
export async function askForJson(runtime, base, path, token, ask) {
  const response = await askFor(runtime, base, path, token, ask);
  const body = await response.json().catch(() => null);
  if (body === null) throw new HubError(`http_${response.status}`, `the hub answered ${response.status}`);
  return body;
}

/**
 * @param {Runtime} runtime
 * @param {string} base
 * @param {string} path
 * @param {string | null} token
 * @param {Ask} [ask]
 */
export async function askFor(runtime, base, path, token, { method = 'GET', query = {}, body, type = 'text/plain', accept, ifMatch } = {}) {
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
  const options = { headers, credentials: 'omit' };
  if (method !== 'GET') options.method = method;
  if (body !== undefined) {
    const isWhole = typeof body === 'string' || body instanceof Blob;
    headers['content-type'] = isWhole ? type : 'application/json';
    options.body = isWhole ? body : JSON.stringify(body);
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

/** @param {number} status @param {any} body */
function refusal(status, body) {
  const temporary = status === 429 || status >= 500;
  const { code = `http_${status}`, message = `the hub answered ${status}`, parameter = null } = body?.error ?? {};
  return new HubError(status === 401 ? 'unauthorized' : code, message, { temporary, parameter });
}
