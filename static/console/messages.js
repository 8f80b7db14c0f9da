// @ts-check
/** The messages of the chosen chat: loaded once, then kept current by updates. */

import hub from '../client/index.js';
import { arrange, byId, make, say, sayInstead } from './dom.js';
import { contactTitle, line, moment } from './format.js';
import { MESSAGES_MAX, Thread } from './thread.js';
import { named, word } from './words.js';

/** @import { Chat, Message, Update } from '../client/index.d.ts' */

export function messages() {
  const [list, title, about, empty] = [
    byId('messages'),
    byId('messages-title'),
    byId('messages-about'),
    byId('messages-empty'),
  ];
  /** @type {Chat | null} */
  let chat = null;
  let thread = new Thread();
  /** @type {string | null} */
  let failure = null;

  /** @param {Chat} chosen */
  async function choose(chosen) {
    chat = chosen;
    thread = new Thread();
    failure = null;
    draw();
    title.focus({ preventScroll: true });
    if (matchMedia('(max-width: 60rem)').matches) title.scrollIntoView({ block: 'start' });
    hub.setPresence(chosen.id);
    await load(chosen);
  }

  /** @param {Chat} chosen */
  async function load(chosen) {
    const loading = thread;
    const asked = loading.ask();
    const isWanted = () => loading === thread && loading.waitsFor(asked);
    try {
      const path = `/api/umbler/chats/${encodeURIComponent(chosen.id)}/messages`;
      const answer = await hub.get(path, { limit: MESSAGES_MAX });
      if (!isWanted()) return;
      loading.take(asked, answer.messages);
      failure = null;
    } catch (error) {
      if (!isWanted()) return;
      failure = word('messagesFailed', { reason: error instanceof Error ? error.message : String(error) });
    }
    draw();
    list.scrollTop = list.scrollHeight;
  }

  hub.on('umbler_update', (/** @type {Update} */ update) => {
    if (chat === null || update.chat?.id !== chat.id) return;
    if (update.type === 'chat_gone') {
      thread.clear();
      failure = word('chatGone');
    } else {
      chat = update.chat;
      for (const message of [update.message, ...(update.otherMessages ?? [])]) if (message) thread.learn(message);
    }
    const atEnd = list.scrollHeight - list.scrollTop - list.clientHeight < 40;
    draw();
    if (atEnd) list.scrollTop = list.scrollHeight;
  });
  // What happened during an interruption that was not replayed is in no update.
  hub.on('umbler_data', () => {
    if (chat !== null) load(chat);
  });

  function draw() {
    say(title, chat === null ? word('chooseChat') : contactTitle(chat));
    say(about, chat === null ? '' : aboutChat(chat));
    sayInstead(empty, emptyText());
    arrange(list, thread.messages ?? [], create, fill);
  }

  function emptyText() {
    if (chat === null) return word('chooseChatHint');
    if (failure !== null) return failure;
    if (thread.messages === null) return word('loading');
    return thread.messages.length === 0 ? word('noMessages') : null;
  }

  return { choose, draw };
}

/** @param {Chat} chat */
function aboutChat(chat) {
  // Umbler tells no names of agents; the end of the id tells them apart.
  const owner =
    chat.owner === null ? word('nobody') : (chat.owner.name ?? `${word('agent')} ${chat.owner.id.slice(-6)}`);
  return [chat.channel?.name, chat.sector?.name, owner].filter(Boolean).join(' · ');
}

function create() {
  return make(
    'li',
    { class: 'message' },
    make('p', { class: 'from' }),
    make('p', { class: 'text' }),
    make('p', { class: 'about' }),
  );
}

/** @param {Element} element @param {Message} message */
function fill(element, message) {
  const [from, text, about] = element.children;
  element.setAttribute('data-direction', message.direction);
  element.toggleAttribute('data-private', message.private);
  say(from, sender(message));
  from.toggleAttribute('hidden', sender(message) === '');
  text.replaceChildren(line(message) || named(message.type ?? ''), ...fileOf(message));
  const marks = [
    moment(message.at),
    message.private ? word('note') : null,
    message.editedAt === null ? null : word('edited'),
    message.direction === 'out' && message.state !== null ? named(message.state) : null,
    ...message.reactions.map(({ emoji }) => emoji),
  ];
  say(about, marks.filter(Boolean).join(' · '));
}

/** @param {Message} message */
function sender({ source, author, bot }) {
  if (source === 'Bot') return bot?.name ?? word('bot');
  if (source === 'Contact') return author?.name ?? '';
  return author?.name ?? word('agent');
}

/** A link to the file, where its address is one that a page may open. @param {Message} message */
function fileOf({ file }) {
  if (!file?.url) return file?.name ? [` ${file.name}`] : [];
  if (!/^https:\/\//i.test(file.url)) return [];
  const link = make('a', { href: file.url, target: '_blank', rel: 'noopener noreferrer' }, file.name ?? word('file'));
  return [' ', link];
}
