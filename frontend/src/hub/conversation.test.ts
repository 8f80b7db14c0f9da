import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Update } from 'umbler-hub-client';

import { chat, FakeHub, message, settled } from '../../test/fake-hub.ts';
import { Conversation } from './conversation.ts';

const CONTACT = {
  id: 'c',
  name: 'Ana',
  phone: null,
  pictureUrl: null,
  type: null,
  blocked: false,
  tags: [],
  createdAt: null,
  lastInteractionAt: null,
  lastMessage: null,
};

async function opened(t: TestContext, at: string | null = null) {
  const hub = new FakeHub(t);
  await hub.open();
  let play: (update: Update) => void = () => {};
  const conversation = new Conversation(hub.client, 'a', at, (listener) => {
    play = listener;
    return () => {};
  });
  conversation.open();
  return { hub, conversation, play: (update: Partial<Update>) => play(update as Update) };
}

/** The chat and its messages, as they were when they were asked for. */
async function answer(hub: FakeHub, about: object, messages = [message('m')]) {
  const [one, other] = [await hub.asked(), await hub.asked()];
  await one.answer({ chat: about });
  await other.answer({ messages, nextCursor: null });
}

test('a chat that is handed over while it is being read shows its new owner', async (t) => {
  const { hub, conversation } = await opened(t);
  hub.update(11, { type: 'chat_transferred', chat: chat('a', { owner: { id: 'new', name: null } }) });
  await answer(hub, chat('a', { owner: { id: 'old', name: null } }));
  assert.equal(conversation.get().chat?.owner?.id, 'new');
});

test('a chat that leaves the scope while it is being read stays out of sight', async (t) => {
  const { hub, conversation } = await opened(t);
  hub.update(11, { type: 'chat_gone', chat: chat('a') });
  await answer(hub, chat('a'));
  const { gone, chat: shown, messages } = conversation.get();
  assert.deepEqual([gone, shown, messages], [true, null, []]);
});

test('a contact and an agent that get another name while the chat is being read have the new one', async (t) => {
  const { hub, conversation } = await opened(t);
  await answer(hub, chat('a', { contactId: 'c', owner: { id: 'agent', name: 'Before' } }), [
    message('m', { source: 'Member', author: { id: 'agent', name: 'Before' } }),
  ]);
  const contact = await hub.asked();
  hub.update(11, { type: 'contact_updated', contact: { ...CONTACT, name: 'Ana Maria' } });
  hub.update(12, { type: 'member_updated', members: [{ id: 'agent', name: 'After', photoUrl: null, sectorId: null }] });
  await contact.answer({ contact: CONTACT });
  const { chat: shown, contact: known, messages } = conversation.get();
  assert.deepEqual([known?.name, shown?.owner?.name, messages?.[0]?.author?.name], ['Ana Maria', 'After', 'After']);
});

test('of two readings of a chat the later one counts, whichever ends first', async (t) => {
  const { hub, conversation } = await opened(t);
  const [one, other] = [await hub.asked(), await hub.asked()];
  hub.say('resync_required', { reason: 'too_slow' });
  await answer(hub, chat('a', { owner: { id: 'new', name: null } }));
  await one.answer({ chat: chat('a', { owner: { id: 'old', name: null } }) });
  await other.answer({ messages: [], nextCursor: null });
  assert.equal(conversation.get().chat?.owner?.id, 'new');
});

test('what was played meanwhile is not taken back by how the chat stood at the moment', async (t) => {
  const { hub, conversation, play } = await opened(t, '2026-03-02T13:00:00Z');
  play({ type: 'chat_transferred', chat: chat('a', { owner: { id: 'new', name: null } }), contact: null });
  await answer(hub, chat('a', { owner: { id: 'old', name: null } }));
  await settled();
  assert.equal(conversation.get().chat?.owner?.id, 'new');
});

test('messages of one second stand in the order in which they were written, live and after a load', async (t) => {
  const written = ['Oi', 'Tudo bem?', 'Quero a segunda via'].map((text, index) => {
    const [at, createdAt] = ['2026-03-02T13:01:00Z', `2026-03-02T13:01:00.${index + 1}Z`];
    return message(['z', 'y', 'x'][index] ?? '', { text, at, createdAt });
  });
  const shown = (conversation: Conversation) => conversation.get().messages?.map(({ text }) => text);
  const { hub, conversation } = await opened(t);
  await answer(hub, chat('a'), written.toReversed());
  assert.deepEqual(shown(conversation), ['Oi', 'Tudo bem?', 'Quero a segunda via']);
  // A late delivery brings a message that was written between two of them.
  const between = message('w', { text: 'Bom dia', at: '2026-03-02T13:01:00Z', createdAt: '2026-03-02T13:01:00.15Z' });
  hub.update(11, { type: 'new_message', chat: chat('a'), message: between });
  assert.deepEqual(shown(conversation), ['Oi', 'Bom dia', 'Tudo bem?', 'Quero a segunda via']);
});

test('name and texts of a person whose data were erased vanish from the open conversation at once', async (t) => {
  const { hub, conversation } = await opened(t);
  const reply = message('r', { source: 'Member', author: { id: 'agent', name: 'Bia' }, text: 'Pois não' });
  await answer(hub, chat('a', { contactId: 'c', contactName: 'Ana' }), [message('m', { text: 'segredo' }), reply]);
  await (await hub.asked()).answer({ contact: CONTACT });
  hub.update(11, { type: 'contact_erased', erasedContactId: 'other' });
  assert.equal(conversation.get().contact?.name, 'Ana');
  hub.update(12, { type: 'contact_erased', erasedContactId: 'c' });
  const { chat: shown, contact, messages } = conversation.get();
  assert.deepEqual([shown?.contactName, contact?.name], [null, null]);
  assert.deepEqual(
    messages?.map(({ text }) => text),
    [null, null],
  );
  assert.equal(messages?.find(({ id }) => id === 'r')?.author?.name, 'Bia');
});

test('texts of a person who is erased while an older page is read do not come back with it', async (t) => {
  const { hub, conversation } = await opened(t);
  const [one, other] = [await hub.asked(), await hub.asked()];
  await one.answer({ chat: chat('a', { contactId: 'c' }) });
  await other.answer({ messages: [message('m', { text: 'segredo' })], nextCursor: 'next' });
  await (await hub.asked()).answer({ contact: CONTACT });
  const read = conversation.older();
  const page = await hub.asked();
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  await page.answer({ messages: [message('old', { text: 'outro segredo' })], nextCursor: null });
  await (await hub.asked()).answer({ messages: [message('old', { erased: true })], nextCursor: null });
  await read;
  const { messages, loadingOlder } = conversation.get();
  assert.deepEqual([messages?.map(({ text }) => text), loadingOlder], [[null, null], false]);
});

test('a conversation of the past loses name and texts of a person who is erased now', async (t) => {
  const { hub, conversation } = await opened(t, '2026-03-02T13:00:00Z');
  await answer(hub, chat('a', { contactId: 'c', contactName: 'Ana' }), [message('m', { text: 'segredo' })]);
  await (await hub.asked()).answer({ contact: CONTACT });
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  const { chat: shown, contact, messages } = conversation.get();
  assert.deepEqual([shown?.contactName, contact?.name, messages?.[0]?.text], [null, null, null]);
});
