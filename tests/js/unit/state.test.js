/** Snapshot plus updates is the same as a fresh snapshot. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { OrderedList, sortKey } from '../../../static/client/lib/ordered-list.js';
import { HubState } from '../../../static/client/lib/state.js';
import { Model } from '../support/model.js';
import { Random } from '../support/random.js';

const LISTS = ['contacts', 'chats', 'recentMessages'];
const SEEDS = Number(process.env.MODEL_SEEDS ?? 25);
const STEPS = 250;

/** What is held must be the top of what there is, item by item. */
function agrees(state, model, about) {
  const { data } = state;
  for (const list of LISTS) {
    const truth = model.truth(list);
    const held = data[list];
    assert.deepEqual(held, truth.slice(0, held.length), `${list} ${about}`);
    if (!data.truncated.includes(list)) assert.equal(held.length, truth.length, `${list} ${about}`);
  }
  assert.deepEqual(data.stats, model.stats(), about);
}

for (const isLimited of [false, true])
  for (const [name, limits, every] of [
    ['small lists, often cut', { contacts: 4, chats: 5, messages: 6 }, 2],
    ['lists as they are by default', { contacts: 50, chats: 200, messages: 50 }, 10],
    ['lists of nothing and of one', { contacts: 0, chats: 1, messages: 0 }, 5],
  ]) {
    test(`a snapshot and every update after it equal a fresh snapshot for ${isLimited ? 'a limited user' : 'who sees all'}: ${name}`, () => {
      let refreshed = 0;
      for (let seed = 1; seed <= SEEDS; seed += 1) {
        const random = new Random(seed);
        const model = new Model(random, isLimited);
        for (let step = random.below(60); step > 0; step -= 1) model.step();
        const state = new HubState();
        state.replace(model.snapshot(limits), limits);
        for (let step = 0; step < STEPS; step += 1) {
          const update = model.step();
          if (update !== null) assert.ok(state.apply(update));
          state.count(model.stats(), model.epoch);
          const about = `seed ${seed}, step ${step}, ${update?.data.type}`;
          if (state.isDoubtful) {
            refreshed += 1;
            state.replace(model.snapshot(limits), limits);
          }
          if (step % every === 0) agrees(state, model, about);
        }
      }
      const share = refreshed / (SEEDS * STEPS);
      assert.ok(share < 0.05, `only where an update cannot tell is the data asked for again, and that was ${share}`);
    });
  }

test('updates that are replayed over what was heard already end in the same state', () => {
  const limits = { contacts: 5, chats: 5, messages: 5 };
  for (let seed = 1; seed <= SEEDS; seed += 1) {
    const random = new Random(seed);
    const model = new Model(random, seed % 2 === 0);
    const state = new HubState();
    state.replace(model.snapshot(limits), limits);
    const told = [];
    for (let step = 0; step < 80; step += 1) {
      const update = model.step();
      if (update === null) continue;
      told.push(update);
      // One in ten is lost on the way, until the count shows it and the position goes back.
      if (!random.chance(0.1)) state.apply(update);
    }
    state.rewind(0);
    for (const update of told) state.apply(update);
    state.count(model.stats(), model.epoch);
    if (state.isDoubtful) continue;
    agrees(state, model, `seed ${seed}`);
  }
});

test('an update is applied once, and none before the first snapshot', () => {
  const state = new HubState();
  const update = {
    event: 'umbler_update',
    seq: 5,
    data: { eventId: 'e', type: 'chat_updated', changes: [], chat: null, contact: null },
  };
  assert.equal(state.apply(update), false);
  state.replace(
    {
      seq: 4,
      epoch: 'e',
      scope: 's',
      stats: { asOfSeq: 4 },
      contacts: [],
      chats: [],
      recentMessages: [],
      truncated: [],
    },
    {},
  );
  assert.equal(state.apply(update), true);
  assert.equal(state.apply(update), false);
});

test('who is there is kept by user, and whoever left is gone', () => {
  const state = new HubState();
  const there = (id, tabs) => ({ id, name: null, role: 'agent', since: '2026-03-02T13:00:00Z', tabs, chats: [] });
  state.meet({ full: true, users: [there('ana', 1), there('bia', 1)], left: [] });
  state.meet({ full: false, users: [there('ana', 2)], left: ['bia'] });
  assert.deepEqual(
    state.data.presence.map(({ id, tabs }) => [id, tabs]),
    [['ana', 2]],
  );
});

test('the data is the same object until something changes', () => {
  const state = new HubState();
  const before = state.data;
  assert.equal(state.data, before);
  state.count({ asOfSeq: 1 }, 'e');
  assert.notEqual(state.data, before);
  assert.equal(state.data.contacts, before.contacts, 'and so is each list');
});

test('counters that are older than those known are passed over, except in another epoch', () => {
  const state = new HubState();
  state.count({ asOfSeq: 9 }, 'first');
  assert.equal(state.count({ asOfSeq: 8 }, 'first'), false);
  assert.equal(state.count({ asOfSeq: 9 }, 'first'), true, 'midnight changes them without an update');
  assert.equal(state.count({ asOfSeq: 1 }, 'second'), true);
});

test('moments sort by their nanoseconds, however many digits they have', () => {
  const moments = [
    '2026-03-02T13:00:00Z',
    '2026-03-02T13:00:00.000000001Z',
    '2026-03-02T13:00:00.1Z',
    '2026-03-02T13:00:00.1000004Z',
    '2026-03-02T13:00:01Z',
  ];
  assert.deepEqual(
    [...moments].reverse().sort((a, b) => (sortKey(a) < sortKey(b) ? -1 : 1)),
    moments,
  );
});

test('a list that was cut lets nothing in below its end', () => {
  const list = new OrderedList((item) => item.at, 2);
  const at = (second) => `2026-03-02T13:00:0${second}Z`;
  list.replace(
    [
      { id: 'c', at: at(3) },
      { id: 'b', at: at(2) },
    ],
    true,
  );
  list.put({ id: 'a', at: at(1) });
  assert.deepEqual(
    list.items.map(({ id }) => id),
    ['c', 'b'],
  );
  list.remove('c');
  list.put({ id: 'a', at: at(1) });
  assert.deepEqual(
    list.items.map(({ id }) => id),
    ['b'],
    'something unknown may lie between',
  );
});

test('name, phone and texts of a person whose data were erased are held no more', () => {
  const model = new Model(new Random(7), false);
  for (let step = 0; step < 80; step += 1) model.step();
  const state = new HubState();
  state.replace(model.snapshot({ contacts: 50, chats: 200, messages: 200 }), {
    contacts: 50,
    chats: 200,
    messages: 200,
  });
  const { contactId } = state.data.recentMessages.find(({ contactId }) => contactId !== null);
  const others = () => state.data.recentMessages.filter((message) => message.contactId !== contactId);
  const before = others();
  const own = state.data.recentMessages.filter((one) => one.contactId === contactId && one.text !== null);
  const update = { type: 'contact_erased', changes: ['contact_erased'], chat: null, contact: null };
  state.apply({ event: 'umbler_update', seq: state.data.seq + 1, data: { ...update, erasedContactId: contactId } });
  const { contacts, chats, recentMessages } = state.data;
  const contact = contacts.find(({ id }) => id === contactId);
  assert.deepEqual([contact.name, contact.phone, contact.tags], [null, null, []]);
  for (const chat of chats.filter((one) => one.contactId === contactId))
    assert.deepEqual([chat.contactName, chat.lastMessage?.text ?? null], [null, null]);
  for (const message of recentMessages.filter((one) => one.contactId === contactId)) assert.equal(message.text, null);
  assert.ok(own.length > 0, 'there was a text');
  for (const { id } of own) assert.equal(recentMessages.find((one) => one.id === id).erased, true);
  assert.deepEqual(others(), before);
});
