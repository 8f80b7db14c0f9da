// @ts-check
/**
 * The order of messages, as the hub has it (docs/protocol.md, "Order of messages"): by when they happened, then by when
 * the provider created them, then by the bytes of their ids.
 *
 * Times are compared as text: the hub writes up to nine digits of a second, and `Date` knows three.
 */

import { sortKey } from './ordered-list.js';

/** @import { Placed } from '../types.d.ts' */

/** The alphabet of ids. Each of its characters stands for six bits. */
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
/** Stands before a character that is not in the alphabet; later than every character that is. */
const FOREIGN = 'p';

/**
 * The moment at which a message stands. A stamp of whole seconds tells only the second: within it the message stands
 * where it was created.
 *
 * @param {Placed} message @returns {string} RFC 3339 in UTC
 */
export function momentOf({ at, createdAt }) {
  const [second, fraction = ''] = at.replace(/Z$/, '').split('.');
  if (!createdAt || /[1-9]/.test(fraction)) return at;
  if (createdAt.startsWith(second)) return createdAt;
  return createdAt > at ? `${second}.999999999Z` : at;
}

/** Orders messages of one moment, as text. @param {Placed} message */
export function tieOf({ at, createdAt, id }) {
  // A blank sorts before every digit, so that a time ends before a longer one that begins with it.
  return `${sortKey(createdAt ?? at)} ${sortable(id)}`;
}

/** For `sort`: the oldest first. @param {Placed} a @param {Placed} b */
export function compareMessages(a, b) {
  const [one, other] = [sortKey(momentOf(a)), sortKey(momentOf(b))];
  if (one !== other) return one < other ? -1 : 1;
  const [tie, otherTie] = [tieOf(a), tieOf(b)];
  return tie === otherTie ? 0 : tie < otherTie ? -1 : 1;
}

/** An id in characters that sort as the bytes that it stands for. @param {string} id */
function sortable(id) {
  let sortable = '';
  for (const character of id) {
    const bits = ALPHABET.indexOf(character);
    if (bits >= 0) sortable += String.fromCharCode(48 + bits);
    else sortable += FOREIGN + (character.codePointAt(0) ?? 0).toString(16).padStart(6, '0');
  }
  return sortable;
}
