import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Chat } from 'umbler-hub-client';
import { forBrowser } from 'umbler-hub-client/storage';

import { chat, FakeHub, message, NOW } from '../../test/fake-hub.ts';
import { CHATS_MAX, isUnread, LookedStore, lookedUntil, placeOf, USERS_MAX } from './looked.ts';

const KEY = 'umbler-hub-looked';
const after = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();
const wrote = (id: string, seconds: number, more = {}): Chat =>
  chat(id, { contactId: `contact of ${id}`, lastMessage: message(`m ${id}`, { at: after(seconds), ...more }) });

async function opened(t: TestContext) {
  t.after(() => forBrowser.removeItem(KEY));
  const hub = new FakeHub(t);
  hub.authRequired = true;
  await hub.open();
  return { hub, store: new LookedStore(hub.client) };
}

/** Another one signs in at this browser. */
async function next(hub: FakeHub, user: string) {
  if (hub.client.isConnected) hub.close(4003);
  hub.userId = user;
  await hub.open();
}

const see = (store: LookedStore, one: Chat) => store.see(one, one.lastMessage === null ? '' : placeOf(one.lastMessage));
const unread = (store: LookedStore, ...chats: Chat[]) =>
  chats.filter((one) => isUnread(store.get(), one)).map(({ id }) => id);

test('what came after somebody looked is unread, on the next page too, and nothing that was there before', async (t) => {
  const { hub, store } = await opened(t);
  const [old, looked, not] = [wrote('old', -9), wrote('looked', 5), wrote('not', 5)];
  assert.deepEqual(unread(store, old, looked, not), ['looked', 'not']);
  see(store, looked);
  assert.deepEqual(unread(store, old, looked, not), ['not']);
  const reloaded = new LookedStore(hub.client);
  assert.deepEqual(unread(reloaded, old, looked, not, wrote('looked', 6)), ['not', 'looked']);
});

test('what the team wrote leaves nothing unread, and what a bot wrote does', async (t) => {
  const { store } = await opened(t);
  const [member, bot, external] = ['Member', 'Bot', 'External'].map((source) =>
    wrote(source, 5, { direction: 'out', source }),
  ) as [Chat, Chat, Chat];
  assert.deepEqual(unread(store, member, bot, external, chat('silent')), ['Bot']);
});

test('what one user looked at is unread for another one who signs in at the same browser', async (t) => {
  const { hub, store } = await opened(t);
  see(store, wrote('a', 5));
  hub.close(4003);
  assert.equal(store.get(), null);
  await next(hub, 'rui');
  assert.deepEqual(unread(store, wrote('a', 5)), ['a']);
  await next(hub, 'u');
  assert.deepEqual(unread(store, wrote('a', 5)), []);
});

test('a person who is erased leaves what this browser keeps, whoever looked at the chat', async (t) => {
  const { hub, store } = await opened(t);
  see(store, wrote('a', 5));
  await next(hub, 'rui');
  see(store, wrote('a', 5));
  see(store, wrote('b', 5));
  hub.update(11, { type: 'contact_erased', erasedContactId: 'contact of a' });
  assert.doesNotMatch(forBrowser.getItem(KEY) ?? '', /contact of a/);
  assert.deepEqual([...(store.get()?.chats.keys() ?? [])], ['b']);
});

test('as many chats and users are kept as there is room for, and what is forgotten counts as looked at', async (t) => {
  const { hub, store } = await opened(t);
  const all = Array.from({ length: CHATS_MAX + 1 }, (_, at) => wrote(`chat ${at}`, at + 1));
  for (const one of all) see(store, one);
  const known = store.get();
  assert.ok(known);
  assert.deepEqual([known.chats.size, known.chats.has('chat 0')], [CHATS_MAX, false]);
  assert.deepEqual(unread(store, ...all), []);
  assert.equal(lookedUntil(known, 'another'), placeOf({ id: '', at: after(1) }));
  for (let at = 0; at < USERS_MAX; at += 1) await next(hub, `user ${at}`);
  const users = JSON.parse(forBrowser.getItem(KEY) ?? '[]').map(([user]: [string]) => user);
  assert.deepEqual(users, ['user 0', 'user 1', 'user 2', 'user 3', 'user 4']);
});

test('what another page wrote there is no hindrance', async (t) => {
  const { hub } = await opened(t);
  for (const words of ['{', '{}', '[[1]]', 'null']) {
    forBrowser.setItem(KEY, words);
    const store = new LookedStore(hub.client);
    assert.deepEqual(unread(store, wrote('old', -9), wrote('new', 5)), ['new'], words);
  }
});
