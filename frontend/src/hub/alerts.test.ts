import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Alert } from 'umbler-hub-client';

import { chat, FakeHub, NOW, settled, told } from '../../test/fake-hub.ts';
import { AlertStore, pressing } from './alerts.ts';

function alert(id: string, more: Partial<Alert> = {}): Alert {
  const at = new Date(NOW).toISOString();
  return {
    id,
    kind: 'waiting',
    chatId: 'a',
    contactName: null,
    sector: null,
    owner: null,
    since: at,
    dueAt: at,
    raisedAt: at,
    clearedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    ...more,
  };
}

const page = (...alerts: Alert[]) => ({ alerts, nextCursor: null, asOfSeq: 10 });

async function opened(t: TestContext) {
  const hub = new FakeHub(t);
  const store = new AlertStore(hub.client);
  await hub.open();
  await (await hub.asked()).answer(page());
  return { hub, store };
}

const ids = ({ get }: AlertStore) => {
  told();
  return get().alerts?.map(({ id }) => id);
};

test('an alert that is raised while somebody opens the live page is heard', async (t) => {
  const { hub, store } = await opened(t);
  const raised: string[] = [];
  store.onRaised(({ id }) => raised.push(id));
  hub.followMore();
  hub.update(11, { type: 'alert_raised', alert: alert('one') });
  await settled();
  assert.deepEqual([raised, hub.questions.length], [['one'], 0]);
});

test('an alert that is cleared while those of a chat in sight are read does not come back', async (t) => {
  const { hub, store } = await opened(t);
  hub.update(11, { type: 'chat_entered', chat: chat('a') });
  const alerts = await hub.asked();
  hub.update(12, { type: 'alert_cleared', alert: alert('one', { clearedAt: new Date(NOW).toISOString() }) });
  await alerts.answer(page(alert('one'), alert('two')));
  assert.deepEqual(ids(store), ['two']);
});

test('alerts of a chat that leaves the scope while they are read stay out of sight, until it is back', async (t) => {
  const { hub, store } = await opened(t);
  hub.update(11, { type: 'chat_entered', chat: chat('a') });
  const before = await hub.asked();
  hub.update(12, { type: 'chat_gone', chat: chat('a') });
  await before.answer(page(alert('one')));
  assert.deepEqual(ids(store), []);
  hub.update(13, { type: 'chat_entered', chat: chat('a') });
  await (await hub.asked()).answer(page(alert('one')));
  assert.deepEqual(ids(store), ['one']);
});

/** A list that is read anew, and what is heard of it. */
async function again(t: TestContext, ...before: Alert[]) {
  const hub = new FakeHub(t);
  const store = new AlertStore(hub.client);
  const heard: string[] = [];
  store.onRaised(({ id }) => heard.push(id));
  await hub.open();
  await (await hub.asked()).answer(page(...before));
  return { hub, store, heard };
}

const after = (seconds: number) => new Date(NOW + seconds * 1000).toISOString();

test('an alert that is raised while the list is read anew is heard, and once', async (t) => {
  const { hub, store, heard } = await again(t);
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  const list = await hub.asked();
  hub.update(12, { type: 'alert_raised', alert: alert('in the answer') });
  hub.update(13, { type: 'alert_raised', alert: alert('one') });
  hub.update(14, { type: 'alert_raised', alert: alert('over') });
  hub.update(15, { type: 'alert_cleared', alert: alert('over', { clearedAt: after(1) }) });
  await list.answer({ alerts: [alert('in the answer', { raisedAt: after(1) })], nextCursor: null, asOfSeq: 12 });
  assert.deepEqual(
    [heard, ids(store)],
    [
      ['in the answer', 'one'],
      ['in the answer', 'one'],
    ],
  );
});

test('alerts that were raised while updates were missed are heard, but none that is older', async (t) => {
  const { hub, heard } = await again(t, alert('known', { raisedAt: after(-5) }));
  assert.deepEqual(heard, []);
  hub.say('resync_required', { reason: 'too_slow' });
  const missed = alert('missed', { raisedAt: after(10) });
  const taken = alert('taken', { raisedAt: after(10), acknowledgedAt: after(11) });
  await (await hub.asked()).answer(
    page(alert('known', { raisedAt: after(-5) }), alert('came into sight', { raisedAt: after(-60) }), missed, taken),
  );
  assert.deepEqual(heard, ['missed']);
});

test('a failure that comes just after a change is told', async (t) => {
  const { hub, store } = await again(t);
  hub.update(11, { type: 'alert_raised', alert: alert('one') });
  hub.say('resync_required', { reason: 'too_slow' });
  await (await hub.asked()).refuse(503, 'unavailable');
  told();
  assert.notEqual(store.get().failure, null);
});

test('alerts of one moment keep their places, whatever order they come in', async (t) => {
  const [a, b, c] = ['a', 'b', 'c'].map((id) => alert(id)) as [Alert, Alert, Alert];
  const { hub, store } = await again(t, c, b);
  hub.update(11, { type: 'alert_raised', alert: a });
  assert.deepEqual(ids(store), ['c', 'b', 'a']);
  hub.say('resync_required', { reason: 'too_slow' });
  await (await hub.asked()).answer(page(a, b, c));
  assert.deepEqual(ids(store), ['c', 'b', 'a']);
});

test('whoever is late is told of once, and not as near the limit too', () => {
  const all = [
    alert('late', { kind: 'waiting' }),
    alert('near', { kind: 'waiting_warn' }),
    alert('other clock', { kind: 'first_response_near' }),
    alert('other chat', { kind: 'waiting_warn', chatId: 'b' }),
    alert('idle', { kind: 'idle' }),
  ];
  assert.deepEqual(
    pressing(all).map(({ id }) => id),
    ['late', 'other clock', 'other chat', 'idle'],
  );
  assert.deepEqual(
    pressing(all.slice(1)).map(({ id }) => id),
    ['near', 'other clock', 'other chat', 'idle'],
  );
});

test('the name of a person who is erased leaves the alerts before they are read anew, and the name of another one stays', async (t) => {
  const hub = new FakeHub(t);
  const contacts: Record<string, string> = { a: 'c', b: 'other' };
  const store = new AlertStore(hub.client, (chat) => contacts[chat]);
  await hub.open();
  const one = alert('one', { contactName: 'Zulmira' });
  const rest = [
    alert('two', { chatId: 'b', contactName: 'Ana' }),
    alert('three', { chatId: 'not here', contactName: 'Rui' }),
  ];
  await (await hub.asked()).answer(page(one, ...rest));
  told();
  const names = () => Object.fromEntries(store.get().alerts?.map(({ id, contactName }) => [id, contactName]) ?? []);
  assert.deepEqual(names(), { one: 'Zulmira', two: 'Ana', three: 'Rui' });
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  // Whose chat the third one is of nobody knows here.
  assert.deepEqual(names(), { one: null, two: 'Ana', three: null });
  // An answer that was on its way brings it back neither.
  store.take({ ...one, acknowledgedAt: after(1) });
  told();
  assert.equal(names().one, null);
  await (await hub.asked()).answer(page({ ...one, contactName: null }, ...rest));
  told();
  assert.deepEqual(names(), { one: null, two: 'Ana', three: 'Rui' });
});
