import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chat, FakeHub, NOW, statsOf, told } from '../../test/fake-hub.ts';
import '../hub/hub.tsx';
import { OpenChatStore } from '../hub/open-chats.ts';
import { sampleOf } from './trends.ts';

test('while the hub is out of reach the trend has a gap, and not what was last known', async (t) => {
  const hub = new FakeHub(t);
  const store = new OpenChatStore(hub.client);
  void hub.client.connect();
  void hub.client.requestUmblerData();
  await hub.open();
  hub.snapshot({ chats: [chat('a')], stats: statsOf(1, 10) });
  told();
  assert.deepEqual(sampleOf(hub.client, store.get()), { at: NOW + 50, open: 1, unanswered: 0, unassigned: 1 });
  hub.close(1006);
  assert.equal(sampleOf(hub.client, store.get()), null);
});
