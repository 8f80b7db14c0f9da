import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chat, FakeHub } from '../../test/fake-hub.ts';
import { filtersOf } from '../chats/filters.ts';
import { PastRowStore } from './past-rows.ts';

const AT = '2026-03-02T13:00:00Z';
const ana = (id: string) => chat(id, { contactId: 'c', contactName: 'Ana' });

test('the list of a moment of the past loses the name of a person who is erased now', async (t) => {
  const hub = new FakeHub(t);
  await hub.open();
  const store = new PastRowStore(hub.client, filtersOf(new URLSearchParams('')), AT);
  t.after(store.open());
  const shown = () => store.get().chats?.map(({ contactName }) => contactName);
  void store.more();
  await (await hub.asked()).answer({ chats: [ana('a'), chat('b', { contactName: 'Bia' })], nextCursor: 'next' });
  void store.more();
  const second = await hub.asked();
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  assert.deepEqual(shown(), [null, 'Bia']);
  await second.answer({ chats: [ana('d')], nextCursor: null });
  assert.deepEqual(shown(), [null, 'Bia', null]);
});
