/** What the console makes of the data, without a page. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';

import { counted } from '../../../static/console/chats.js';
import { MESSAGES_MAX, Thread } from '../../../static/console/thread.js';
import { named } from '../../../static/console/words.js';

const message = (minute, text, more = {}) => ({
  id: `m${minute}`,
  at: new Date(Date.UTC(2026, 2, 2, 13, minute)).toISOString(),
  text,
  ...more,
});
const texts = (thread) => thread.messages?.map(({ text }) => text) ?? null;

test('after a gap the fresh answer is shown, not what was on the page before it', () => {
  const thread = new Thread();
  thread.take(thread.ask(), [message(2, 'sent'), message(1, 'hello')]);
  thread.learn(message(3, 'before the gap'));
  thread.take(thread.ask(), [message(3, 'edited in the gap'), message(2, 'read'), message(1, 'hello')]);
  assert.deepEqual(texts(thread), ['hello', 'read', 'edited in the gap']);
});

test('updates that come while an answer is on its way know more than it, and stand in their order', () => {
  const thread = new Thread();
  assert.equal(thread.messages, null);
  const asked = thread.ask();
  thread.learn(message(3, 'new'));
  thread.learn(message(1, 'edited'));
  thread.take(asked, [message(2, 'two'), message(1, 'one')]);
  assert.deepEqual(texts(thread), ['edited', 'two', 'new']);
});

test('an answer that comes after a later one was asked for changes nothing, nor does one of a chat that is gone', () => {
  const thread = new Thread();
  const [first, second] = [thread.ask(), thread.ask()];
  thread.take(second, [message(1, 'fresh')]);
  thread.take(first, [message(1, 'old')]);
  assert.deepEqual(texts(thread), ['fresh']);
  const third = thread.ask();
  thread.clear();
  thread.take(third, [message(1, 'not for this user any more')]);
  assert.deepEqual(texts(thread), []);
});

test('a chat on the page holds so many messages, the newest', () => {
  const thread = new Thread();
  const asked = thread.ask();
  for (let minute = 0; minute < MESSAGES_MAX + 5; minute += 1) thread.learn(message(minute, `${minute}`));
  thread.take(asked, []);
  assert.equal(thread.messages.length, MESSAGES_MAX);
  assert.equal(texts(thread)[0], '5');
});

test('the heading of the open chats says how many there are, and the page how many it does not show', () => {
  const chats = (count) => Array.from({ length: count }, (_, index) => ({ id: `c${index}` }));
  const data = (count, openChats, truncated = []) => ({ chats: chats(count), stats: { openChats }, truncated });
  assert.deepEqual(counted(data(200, 350, ['chats'])), { open: 350, notShown: 300 });
  assert.deepEqual(counted(data(60, 59)), { open: 60, notShown: 10 }, 'the counters come a moment later');
  assert.deepEqual(counted(data(3, 3, ['contacts'])), { open: 3, notShown: 0 });
  assert.deepEqual(counted({ chats: [], stats: null, truncated: [] }), { open: 0, notShown: 0 });
});

test('the console has a word for every type of an update', async () => {
  const types = await readFile(new URL('../../../static/client/types.d.ts', import.meta.url), 'utf8');
  const [, union] = /export type UpdateType =([^;]+);/.exec(types);
  const all = [...union.matchAll(/'(\w+)'/g)].map(([, type]) => type);
  assert.ok(all.includes('settings_updated'));
  assert.deepEqual(
    all.filter((type) => named(type) === type),
    [],
  );
});
