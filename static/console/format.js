// @ts-check
/** Times, ages and numbers for people. Times are those of the hub's zone, whatever that of the browser is. */

import hub from '../client/index.js';
import { locale, named, word } from './words.js';

/** @import { Chat, MessageSummary } from '../client/index.d.ts' */

/** The hub's; the browser's until the hub has told. @type {string | undefined} */
let timeZone;
let days = daysOf(timeZone);

/** @param {string} name one that this browser does not know changes nothing */
export function setZone(name) {
  try {
    days = daysOf(name);
    timeZone = name;
  } catch {
    // Times stay those of the browser's zone.
  }
}

/** @param {number} ms */
export function age(ms) {
  const seconds = Math.max(0, Math.round(ms / 1000));
  if (seconds < 60) return word('seconds', { count: seconds });
  if (seconds < 3600) return word('minutes', { count: Math.floor(seconds / 60) });
  if (seconds < 86_400) return word('hours', { count: Math.floor(seconds / 3600) });
  return word('days', { count: Math.floor(seconds / 86_400) });
}

/** The time of today, the date too of another day. Today is the hub's. @param {string} at */
export function moment(at) {
  const then = Date.parse(at);
  const today = days.format(then) === days.format(hub.hubTime());
  const day = today ? {} : /** @type {const} */ ({ day: '2-digit', month: '2-digit' });
  return new Intl.DateTimeFormat(locale(), { ...day, hour: '2-digit', minute: '2-digit', timeZone }).format(then);
}

/** @param {string | undefined} zone */
function daysOf(zone) {
  return new Intl.DateTimeFormat('en', { dateStyle: 'short', timeZone: zone });
}

/** @param {string} at */
export function exactMoment(at) {
  return new Intl.DateTimeFormat(locale(), { dateStyle: 'medium', timeStyle: 'medium', timeZone }).format(new Date(at));
}

/** @param {number | undefined} count */
export function number(count) {
  return count === undefined ? '–' : new Intl.NumberFormat(locale()).format(count);
}

/** Whom a chat is held with: the name, else the phone, else that there is none. @param {Pick<Chat, 'contactName' | 'contactPhone'>} chat */
export function contactTitle({ contactName, contactPhone }) {
  return contactName ?? contactPhone ?? word('unnamed');
}

/** A message in one line. @param {Pick<MessageSummary, 'text' | 'type' | 'deleted'>} message */
export function line({ text, type, deleted }) {
  if (deleted) return word('deleted');
  return text ?? (type === null ? '' : `[${named(type)}]`);
}
