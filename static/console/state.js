// @ts-check
/** How things stand: connected or not, how old the data is, what went wrong, and the numbers. */

import hub from '../client/index.js';
import { byId, make, say, sayInstead } from './dom.js';
import { age, number } from './format.js';
import { word } from './words.js';

/** @import { Stats } from '../client/index.d.ts' */

/** @type {(keyof Omit<Stats, 'asOfSeq'>)[]} */
const NUMBERS = ['openChats', 'waitingChats', 'messagesToday', 'totalChats', 'totalContacts', 'totalMessages'];
/** Below this nobody wants to read how long ago the hub was heard. */
const QUIET_MS = 5_000;

/** What the hub says of itself, where it is not `ok`. @type {string | null} */
let hubStatus = null;
// After the greeting the hub tells its state only where it is not well.
hub.on('connection_established', () => noteStatus('ok'));
hub.on('hub_status', ({ status }) => noteStatus(status));

/** @param {string} status */
function noteStatus(status) {
  hubStatus = status === 'ok' ? null : status;
  drawState();
}

/** The connection. */
export function drawState() {
  const { status, error } = hub;
  byId('state').dataset.state = status;
  say(byId('state-name'), word(status));
  say(byId('state-age'), about(status));
  const trouble =
    status !== 'connected' && status !== 'unauthorized' && error !== null && error.code !== 'connection_lost';
  const isBehind = status === 'connected' && hubStatus === 'behind';
  sayInstead(byId('notice'), trouble ? error.message : isBehind ? word('behind') : null);
  document.documentElement.classList.toggle('old', status === 'stale' || status === 'disconnected');
}

/** @param {string} status */
function about(status) {
  const old = hub.dataAge();
  if (status !== 'connected') return old === null ? '' : word('asOfAgo', { age: age(old) });
  const parts = [];
  if (hub.transport === 'stream') parts.push(word('overStream'));
  if (old !== null && old > QUIET_MS) parts.push(word('heardAgo', { age: age(old) }));
  return parts.join(', ');
}

/** The numbers. */
export function drawStats() {
  const list = byId('stats');
  if (list.childElementCount === 0) {
    for (const name of NUMBERS) {
      list.append(make('div', { 'data-name': name }, make('dt'), make('dd')));
    }
  }
  NUMBERS.forEach((name, index) => {
    const [label, value] = list.children[index].children;
    say(label, word(name));
    say(value, number(hub.data.stats?.[name]));
  });
}
