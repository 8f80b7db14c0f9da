import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { chat, FakeHub, statsOf, told } from '../../test/fake-hub.ts';
// First, for the modules of this folder are a circle.
import './hub.tsx';
import { OpenChatStore } from './open-chats.ts';

async function opened(t: TestContext, authRequired = false) {
  const hub = new FakeHub(t);
  hub.authRequired = authRequired;
  const store = new OpenChatStore(hub.client);
  void hub.client.connect(authRequired ? 'token' : undefined).catch(() => {});
  void hub.client.requestUmblerData();
  await hub.open();
  return { hub, store };
}

const ids = (store: OpenChatStore) => store.get().chats.map(({ id }) => id);

test('whoever signs in again after a token ended sees all open chats', async (t) => {
  const { hub, store } = await opened(t, true);
  hub.snapshot({ chats: [chat('a')], stats: statsOf(1, 10) });
  hub.close(4003);
  assert.equal(hub.client.status, 'unauthorized');
  told();
  assert.equal(store.get().complete, false);

  void hub.client.connect('another').catch(() => {});
  await hub.open({ recovered: true, reason: undefined });
  hub.snapshot({ chats: [chat('a')], stats: statsOf(1, 10) });
  told();
  assert.deepEqual([ids(store), store.get().complete], [['a'], true]);
});

test('a chat that closed while a snapshot was on its way stays closed', async (t) => {
  const { hub, store } = await opened(t);
  hub.update(11, { type: 'chat_closed', chat: chat('a', { open: false, status: 'closed' }) });
  hub.update(12, { type: 'chat_opened', chat: chat('b') });
  hub.snapshot({ seq: 10, chats: [chat('a'), chat('c')], stats: statsOf(2, 10) });
  told();
  assert.deepEqual(ids(store).toSorted(), ['b', 'c']);
});
