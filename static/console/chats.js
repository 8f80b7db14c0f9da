// @ts-check
/** The open chats, the latest first. */

import hub from '../client/index.js';
import { arrange, byId, make, say, sayInstead } from './dom.js';
import { age, contactTitle, line, moment, number } from './format.js';
import { word } from './words.js';

/** @import { Chat, UmblerData } from '../client/index.d.ts' */

/** Chats on the page; the hub tells of up to 200. */
const CHATS_MAX = 50;

/** @param {(chat: Chat) => void} chosen */
export function chats(chosen) {
  const [list, empty, count, more] = [byId('chats'), byId('chats-empty'), byId('chats-count'), byId('chats-more')];
  /** @type {string | null} */
  let selected = null;

  list.addEventListener('click', ({ target }) => {
    const row = target instanceof Element ? target.closest('[data-id]') : null;
    const chat = hub.data.chats.find(({ id }) => id === row?.getAttribute('data-id'));
    if (chat === undefined) return;
    selected = chat.id;
    draw();
    chosen(chat);
  });

  function draw() {
    const { seq, chats: all } = hub.data;
    const { open, notShown } = counted(hub.data);
    say(count, seq === null ? '' : number(open));
    sayInstead(empty, all.length > 0 ? null : emptyText(seq));
    sayInstead(more, notShown === 0 ? null : word('more', { count: number(notShown) }));
    arrange(list, all.slice(0, CHATS_MAX), create, (element, chat) => fill(element, chat, chat.id === selected));
  }
  return draw;
}

/**
 * How many chats are open, and how many of them are not on the page. A list that was cut does not know; the counters do.
 *
 * @param {Pick<UmblerData, 'chats' | 'stats' | 'truncated'>} data
 */
export function counted({ chats, stats, truncated }) {
  const known = truncated.includes('chats') ? (stats?.openChats ?? 0) : 0;
  const open = Math.max(chats.length, known);
  return { open, notShown: open - Math.min(chats.length, CHATS_MAX) };
}

/** @param {number | null} seq */
function emptyText(seq) {
  if (seq !== null) return word('noChats');
  return word(hub.isConnected || hub.status === 'connecting' ? 'loading' : 'noConnection');
}

function create() {
  const head = make('span', { class: 'row-head' }, make('strong'), make('time'));
  const button = make(
    'button',
    { type: 'button', class: 'row' },
    head,
    make('span', { class: 'row-text' }),
    make('span', { class: 'row-tags' }),
  );
  return make('li', {}, button);
}

/** @param {Element} element @param {Chat} chat @param {boolean} isSelected */
function fill(element, chat, isSelected) {
  const button = element.children[0];
  const [head, text, tags] = button.children;
  if (isSelected) button.setAttribute('aria-current', 'true');
  else button.removeAttribute('aria-current');
  button.toggleAttribute('data-waiting', chat.waiting);
  say(head.children[0], contactTitle(chat));
  head.children[1].setAttribute('datetime', chat.lastActivityAt ?? '');
  say(head.children[1], chat.lastActivityAt === null ? '' : moment(chat.lastActivityAt));
  say(text, chat.lastMessage === null ? '' : line(chat.lastMessage));
  say(tags, labels(chat).join(' · '));
}

/** @param {Chat} chat */
function labels(chat) {
  const waited = chat.waiting && chat.waitingSince !== null ? age(hub.hubTime() - Date.parse(chat.waitingSince)) : null;
  return [
    waited === null ? null : word('waitingFor', { age: waited }),
    chat.sector?.name,
    chat.channel?.name,
    ...chat.tags.map(({ name }) => name),
  ].filter(Boolean);
}
