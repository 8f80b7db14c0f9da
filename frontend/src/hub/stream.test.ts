import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeHub, settled } from '../../test/fake-hub.ts';
import { filtersOf } from '../chats/filters.ts';
import './hub.tsx';
import { MemberStore } from './members.ts';
import { RowStore } from './rows.ts';
import { SettingsStore } from './settings.ts';
import { TrafficStore } from './traffic.ts';

test('a screen that was too slow reads anew what it cannot be sure of', async (t) => {
  const hub = new FakeHub(t);
  new SettingsStore(hub.client);
  const traffic = new TrafficStore(hub.client);
  const rows = new RowStore(hub.client, filtersOf(new URLSearchParams('status=closed')));
  const members = new MemberStore(hub.client, { search: '', known: '' });
  await hub.open();
  traffic.begin();
  rows.open();
  members.open();
  await settled();
  const asked = hub.questions.splice(0);
  const before = asked.map(({ path }) => path).toSorted();
  await asked.find(({ path }) => path === '/api/umbler/chats')?.answer({ chats: [], nextCursor: null, total: 0 });

  hub.say('resync_required', { reason: 'too_slow' });
  await settled();
  assert.deepEqual(hub.questions.map(({ path }) => path).toSorted(), before);
  assert.equal(before.length, 4);
});
