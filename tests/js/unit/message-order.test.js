// The client sorts messages by the hub's own rule; the hub is tested with the same messages (src/domain/order.rs).
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { compareMessages } from '../../../static/client/index.js';
import { HubState } from '../../../static/client/lib/state.js';

const IN_ORDER = JSON.parse(readFileSync(new URL('../../fixtures/message-order.json', import.meta.url), 'utf8'));

test('messages of one second stand in the order in which the provider made them', () => {
  for (const [index, one] of IN_ORDER.entries()) {
    assert.equal(compareMessages(one, one), 0);
    for (const other of IN_ORDER.slice(index + 1)) {
      const about = `${JSON.stringify(one)} before ${JSON.stringify(other)}`;
      assert.ok(compareMessages(one, other) < 0, about);
      assert.ok(compareMessages(other, one) > 0, about);
    }
  }
});

test('messages of one second are held in the same order whether they come live or in a snapshot', () => {
  const named = IN_ORDER.map((message, index) => ({
    ...message,
    chatId: 'a',
    contactId: null,
    id: `${message.id}`,
    text: `${index}`,
  })).filter(({ id }) => id !== 'a');
  const newestFirst = named.toReversed().map(({ text }) => text);
  const snapshot = {
    seq: 1,
    epoch: 'e',
    scope: 's',
    stats: { asOfSeq: 1 },
    contacts: [],
    chats: [],
    recentMessages: [],
    truncated: [],
  };
  const held = (state) => state.data.recentMessages.map(({ text }) => text);

  const live = new HubState();
  live.replace(snapshot, { messages: 50 });
  for (const [index, message] of [...named.slice(3), ...named.slice(0, 3).reverse()].entries()) {
    live.apply({
      event: 'umbler_update',
      seq: 2 + index,
      data: { type: 'new_message', changes: [], chat: null, contact: null, message },
    });
  }
  assert.deepEqual(held(live), newestFirst);

  const loaded = new HubState();
  loaded.replace({ ...snapshot, recentMessages: named.toReversed() }, { messages: 50 });
  assert.deepEqual(held(loaded), newestFirst);
});
