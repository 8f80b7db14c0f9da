import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeHub, message } from '../../test/fake-hub.ts';
import { SearchStore } from './search.ts';

const find = (id: string, contactId: string) => ({
  message: message(id, { contactId }),
  contactName: null,
  contactPhone: null,
  highlight: { text: [], cutBefore: false, cutAfter: false },
});
const page = (...messages: ReturnType<typeof find>[]) => ({
  messages,
  nextCursor: { messages: 'next' },
  complete: true,
});

test('what is deleted or erased while more finds are read does not come back with them', async (t) => {
  const hub = new FakeHub(t);
  await hub.open();
  const store = new SearchStore(hub.client, 'oi');
  hub.client.on('umbler_update', (update) => store.learn(update));
  const shown = () => store.get().found?.map(({ message: { id } }) => id);
  void store.more();
  await (await hub.asked()).answer(page(find('a', 'x'), find('b', 'x'), find('c', 'y')));
  void store.more();
  const second = await hub.asked();
  hub.update(11, { type: 'message_updated', message: message('a', { deleted: true }) });
  hub.update(12, { type: 'message_updated', message: message('d', { deleted: true }) });
  hub.update(13, { type: 'contact_erased', erasedContactId: 'y' });
  assert.deepEqual(shown(), ['b']);
  await second.answer(page(find('d', 'x'), find('e', 'y'), find('f', 'x')));
  assert.deepEqual(shown(), ['b', 'f']);
  // What the person wrote later is of a new person.
  void store.more();
  await (await hub.asked()).answer(page(find('g', 'y')));
  assert.deepEqual(shown(), ['b', 'f', 'g']);
});
