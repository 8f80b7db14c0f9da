import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Chat } from 'umbler-hub-client';

import { chat, FakeHub, settled, told } from '../../test/fake-hub.ts';
import { filtersOf } from '../chats/filters.ts';
import { RowStore } from './rows.ts';

async function opened(t: TestContext, filters = 'status=closed') {
  const hub = new FakeHub(t);
  await hub.open();
  const store = new RowStore(hub.client, filtersOf(new URLSearchParams(filters)));
  store.open();
  return { hub, store };
}

const closed = (id: string, more: Partial<Chat> = {}) => chat(id, { open: false, status: 'closed', ...more });
const page = (chats: Chat[], nextCursor: string | null = null) => ({ chats, nextCursor, total: chats.length });
const shown = ({ get }: RowStore) => {
  told();
  return get()
    .chats?.map(({ id, contactName }) => `${id} ${contactName ?? '–'}`)
    .toSorted();
};

test('a chat that closes while the list of closed ones is read stands in it', async (t) => {
  const { hub, store } = await opened(t);
  const first = await hub.asked();
  hub.update(11, { type: 'chat_closed', chat: closed('b') });
  await first.answer(page([closed('a')]));
  assert.deepEqual(shown(store), ['a –', 'b –']);
});

test('a chat that is opened again while its page is read does not come back', async (t) => {
  const { hub, store } = await opened(t);
  await (await hub.asked()).answer(page([closed('a')], 'next'));
  void store.more();
  const next = await hub.asked();
  hub.update(11, { type: 'chat_reopened', chat: chat('b') });
  hub.update(12, { type: 'contact_updated', chat: closed('c', { contactName: 'New' }) });
  await next.answer(page([closed('b'), closed('c', { contactName: 'Old' })]));
  assert.deepEqual(shown(store), ['a –', 'c New']);
});

test('a search shows a chat that it finds as the newest update has it, and none that the hub did not find', async (t) => {
  const { hub, store } = await opened(t, 'status=all&search=ana');
  const first = await hub.asked();
  hub.update(11, { type: 'contact_updated', chat: chat('a', { contactName: 'Ana Maria' }) });
  hub.update(12, { type: 'contact_updated', chat: chat('b', { contactName: 'Bia' }) });
  await first.answer(page([chat('a', { contactName: 'Ana' })]));
  assert.deepEqual(shown(store), ['a Ana Maria']);
});

test('an agent who gets a name while a page is read has it on that page', async (t) => {
  const { hub, store } = await opened(t);
  const first = await hub.asked();
  hub.update(11, { type: 'member_updated', members: [{ id: 'agent', name: 'After', photoUrl: null, sectorId: null }] });
  await first.answer(page([closed('a', { owner: { id: 'agent', name: 'Before' } })]));
  told();
  assert.equal(store.get().chats?.[0]?.owner?.name, 'After');
});

test('a page that was under way when updates were missed does not count', async (t) => {
  const { hub, store } = await opened(t);
  const before = await hub.asked();
  hub.say('resync_required', { reason: 'too_slow' });
  await settled();
  const after = await hub.asked();
  await after.answer(page([closed('new')]));
  await before.answer(page([closed('old')]));
  assert.deepEqual(shown(store), ['new –']);
});

test('the name of a person whose data were erased vanishes from the list, and a page under way is read again', async (t) => {
  const { hub, store } = await opened(t);
  const named = closed('a', { contactId: 'c', contactName: 'Zulmira' });
  await (await hub.asked()).answer(page([named, closed('b', { contactId: 'd', contactName: 'Bia' })], 'next'));
  void store.more();
  const next = await hub.asked();
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  assert.deepEqual(shown(store) ?? [], []);
  const again = await hub.asked();
  await again.answer(page([closed('a', { contactId: 'c' }), closed('b', { contactId: 'd', contactName: 'Bia' })]));
  await next.answer(page([closed('e', { contactId: 'c', contactName: 'Zulmira' })]));
  assert.deepEqual(shown(store), ['a –', 'b Bia']);
});
