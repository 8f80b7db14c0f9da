// @ts-check
/** Reads of the hub's REST rows, with the token where it belongs: in a header. */

import { HubError } from './envelope.js';

/** @import { Runtime } from '../types.d.ts' */

/**
 * @param {Runtime} runtime
 * @param {string} base
 * @param {string} path
 * @param {Record<string, string | number | undefined>} query
 * @param {string | null} token
 */
export async function getJson(runtime, base, path, query, token) {
  if (runtime.fetch === null) throw new HubError('unreachable', 'there is no fetch here');
  const url = new URL(base + path);
  for (const [name, value] of Object.entries(query)) {
    if (value !== undefined) url.searchParams.set(name, String(value));
  }
  /** @type {Record<string, string>} */
  const headers = token === null ? {} : { authorization: `Bearer ${token}` };
  /** @type {Response} */
  let response;
  try {
    response = await runtime.fetch(url, { headers, credentials: 'omit' });
  } catch (cause) {
    throw new HubError('unreachable', `the hub does not answer at ${base}`, { temporary: true, cause });
  }
  const body = await response.json().catch(() => null);
  if (response.ok && body !== null) return body;
  const temporary = response.status === 429 || response.status >= 500;
  const { code = `http_${response.status}`, message = `the hub answered ${response.status}` } = body?.error ?? {};
  throw new HubError(response.status === 401 ? 'unauthorized' : code, message, { temporary });
}
