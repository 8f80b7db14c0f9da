// @ts-check
/** The stream of updates as they come, the newest first. */

import hub, { erasedChat, erasedMessage } from '../client/index.js';
import { arrange, byId, eachFrame, make, say, sayInstead } from './dom.js';
import { contactTitle, exactMoment, line, number } from './format.js';
import { named, word } from './words.js';

/** @import { Envelope, Update } from '../client/index.d.ts' */
/** @typedef {{ id: string, at: string, update: Update }} Row */

/** Rows on the page; older ones leave. */
const ROWS_MAX = 100;

export function updates() {
  /** @type {Row[]} */
  let rows = [];
  let count = 0;
  let paused = false;
  const [list, empty, pause] = [byId('updates'), byId('updates-empty'), byId('pause')];

  function draw() {
    say(byId('updates-count'), count === 0 ? '' : number(count));
    say(pause, word(paused ? 'resume' : 'pause'));
    pause.setAttribute('aria-pressed', String(paused));
    sayInstead(empty, count > 0 ? null : word(hub.isConnected ? 'noUpdates' : 'noConnection'));
    if (!paused) arrange(list, rows, create, fill);
  }

  const drawSoon = eachFrame(draw);
  hub.on('umbler_update', (/** @type {Update} */ update, /** @type {Envelope} */ { seq, timestamp }) => {
    count += 1;
    rows = [{ id: String(seq), at: timestamp ?? '', update }, ...rows.slice(0, ROWS_MAX - 1)];
    for (const { id, deleted } of [update.message, ...(update.otherMessages ?? [])].filter(
      (message) => message !== undefined,
    )) {
      if (deleted) rows = rows.map((row) => withoutWords(row, id));
    }
    const erased = update.erasedContactId;
    if (erased) rows = rows.map((row) => withoutPerson(row, erased));
    drawSoon();
  });
  pause.addEventListener('click', () => {
    paused = !paused;
    draw();
  });
  return draw;
}

/** The row as it reads once a message was deleted. @param {Row} row @param {string} id @returns {Row} */
function withoutWords(row, id) {
  const { message } = row.update;
  if (message?.id !== id) return row;
  return { ...row, update: { ...row.update, message: { ...message, text: null, deleted: true } } };
}

/** The row as it reads once a person's data were erased. @param {Row} row @param {string} contactId @returns {Row} */
function withoutPerson(row, contactId) {
  const { chat, message } = row.update;
  if (chat?.contactId !== contactId) return row;
  const update = { ...row.update, chat: erasedChat(chat), message: message && erasedMessage(message) };
  return { ...row, update };
}

function create() {
  const head = make('p', { class: 'row-head' }, make('strong'), make('time'));
  return make('li', { class: 'update' }, head, make('p', { class: 'row-text' }));
}

/** @param {Element} element @param {Row} row */
function fill(element, { at, update }) {
  const [head, text] = element.children;
  element.setAttribute('data-type', update.type);
  say(head.children[0], named(update.type));
  head.children[1].setAttribute('datetime', at);
  say(head.children[1], at === '' ? '' : (exactMoment(at).split(/[ ,]+/).at(-1) ?? ''));
  say(
    text,
    [
      update.chat ? contactTitle(update.chat) : update.alert?.contactName,
      update.message ? line(update.message) : update.reason,
    ]
      .filter(Boolean)
      .join(': '),
  );
}
