import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import type { UmblerHubClient, Update } from 'umbler-hub-client';

import { chat, FakeHub, message, told } from '../../test/fake-hub.ts';
import { ReplayStore } from './replays.ts';

const AT = '2026-03-02T13:00:00Z';
const ana = (id: string) => chat(id, { contactId: 'c', contactName: 'Ana' });

/** A replay whose chats of the first moment are asked for. */
async function begun(t: TestContext) {
  const hub = new FakeHub(t);
  const store = new ReplayStore(hub.client);
  t.after(() => store.stop());
  let play: (update: Update) => void = () => {};
  mock.method(hub.client, 'replay', ({ onUpdate }: Parameters<UmblerHubClient['replay']>[0]) => {
    play = (update) => onUpdate?.(update, { event: 'umbler_update', data: update, seq: 5, timestamp: AT });
    return { stop: () => {} };
  });
  await hub.open();
  void store.begin(AT, 1);
  const shown = () => {
    told();
    return store.get()?.chats.map(({ contactName }) => contactName);
  };
  return { hub, store, shown, play: (update: Update) => play(update) };
}

test('a replay loses the name of a person who is erased while it plays', async (t) => {
  const { hub, store, shown, play } = await begun(t);
  await (await hub.asked()).answer({ chats: [ana('a')], nextCursor: null });
  assert.deepEqual(shown(), ['Ana']);
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  assert.deepEqual(shown(), [null]);
  // What was on its way to the screen may still hold the person.
  let heard: Update | null = null;
  store.follow((update) => {
    heard = update;
  });
  const update = { type: 'new_message', chat: ana('b'), contact: null, message: message('m', { text: 'segredo' }) };
  play(update as Update);
  assert.deepEqual(shown(), [null, null]);
  assert.equal((heard as Update | null)?.message?.text, null);
});

test('a page of the first moment that was asked for before an erasure brings no name back', async (t) => {
  const { hub, shown } = await begun(t);
  const page = await hub.asked();
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  await page.answer({ chats: [ana('a')], nextCursor: null });
  assert.deepEqual(shown(), [null]);
});
