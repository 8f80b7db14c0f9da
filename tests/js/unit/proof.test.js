/** What is shown is true: the count of updates, the heartbeat, probes, resynchronisation. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { REFILL_MS } from '../../../static/client/lib/holdings.js';
import { attempt, next, pair, record, status } from '../support/client.js';

async function live(t, more) {
  const all = await pair(t, more);
  all.client.subscribeToUpdates();
  await all.client.connect();
  await all.client.requestUmblerData();
  return all;
}

test('a heartbeat whose count agrees changes nothing but the age of the data', async (t) => {
  const { hub, clock, client } = await live(t);
  clock.pass(20_000);
  const beat = next(client, 'heartbeat');
  hub.connections[0].heartbeat();
  await beat;
  assert.equal(client.dataAge(), 0);
  assert.equal(client.status, 'connected');
});

test('an update that was lost on the way is fetched, and told once', async (t) => {
  const { hub, clock, client } = await live(t);
  const [peer] = hub.connections;
  const heard = record(client, 'umbler_update');
  const verified = next(client, 'heartbeat');
  hub.publish();
  peer.heartbeat();
  await verified;

  const last = next(client, 'umbler_update', (_, { seq }) => seq === 13);
  hub.record();
  peer.sent += 1; // The hub believes that it sent 12.
  hub.publish();
  await last;
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [11, 13],
  );

  const missed = next(client, 'umbler_update', (_, { seq }) => seq === 12);
  const error = next(client, 'error');
  peer.heartbeat();
  assert.equal((await error).code, 'updates_lost');
  assert.equal(client.status, 'recovering');
  clock.pass(1_000);
  await missed;
  await status(client, 'connected');
  assert.equal(hub.connections[1].heard[0].data.since, 11, 'from where the counts agreed');
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [11, 13, 12],
    '13 is not told again',
  );
  assert.equal(client.data.seq, 13);
});

test('a socket that brings nothing for two and a half heartbeats is replaced, although it answers pings', async (t) => {
  const { hub, clock, client } = await live(t);
  const [peer] = hub.connections;
  clock.pass(30_000);
  const pong = next(client, 'pong');
  await peer.hears('ping');
  await pong;
  assert.equal(client.status, 'connected', 'it is there, after all');
  clock.pass(32_400);
  assert.equal(client.status, 'connected');
  clock.pass(200);
  assert.equal(client.status, 'recovering');
  const back = hub.connection();
  clock.pass(1_000);
  await back;
});

test('a hub that does not answer a probe within seconds is left', async (t) => {
  const page = new EventTarget();
  const { hub, clock, client } = await live(t, { runtime: { window: page } });
  const [peer] = hub.connections;
  peer.deaf.add('ping');
  page.dispatchEvent(new Event('online'));
  await peer.hears('ping');
  clock.pass(3_900);
  assert.equal(client.status, 'connected');
  clock.pass(200);
  assert.equal(client.status, 'recovering');
});

for (const [sign, target, event] of [
  ['the network coming back', 'window', 'online'],
  ['the network going', 'window', 'offline'],
  ['a page out of the back-forward cache', 'window', 'pageshow'],
  ['a page that is shown again', 'document', 'visibilitychange'],
]) {
  test(`${sign} is a reason to ask the hub at once`, async (t) => {
    const page = Object.assign(new EventTarget(), { visibilityState: 'visible' });
    const { hub } = await live(t, { runtime: { [target]: page } });
    page.dispatchEvent(new Event(event));
    await hub.connections[0].hears('ping');
  });
}

test('waking from sleep is a reason to ask the hub within seconds', async (t) => {
  const { hub, clock } = await live(t);
  clock.sleep(3 * 3_600_000);
  clock.pass(5_000);
  await hub.connections[0].hears('ping');
});

test('another channel is added without touching what is held', async (t) => {
  const { hub, client } = await live(t);
  const [peer] = hub.connections;
  const snapshots = record(client, 'umbler_data');
  // The hub is ahead of this screen, as it is whenever updates are on their way.
  hub.record();
  await client.subscribeToUpdates(['chat:a']);
  const { data } = peer.heard.at(-1);
  assert.deepEqual(data, { channels: ['chat:a'] }, 'a position belongs to the first subscription of a session');
  const told = next(client, 'umbler_update');
  hub.publish();
  await told;
  assert.equal(client.isLive, true);
  assert.deepEqual(snapshots, []);
});

test('told to resynchronise, the client recovers with a fresh snapshot', async (t) => {
  const { hub, client } = await live(t);
  const [peer] = hub.connections;
  hub.record();
  peer.deaf.add('request_umbler_data');
  await peer.hears('request_umbler_data');
  const recovering = status(client, 'recovering');
  peer.say('resync_required', { reason: 'too_slow' });
  await recovering;
  const { id } = await peer.hears('request_umbler_data');
  const connected = status(client, 'connected');
  peer.say('umbler_data', hub.snapshot(), id);
  await connected;
  assert.equal(client.data.seq, 11);
  assert.equal(hub.connections.length, 1);
});

test('updates that come while a snapshot is on its way count if they are after it, and only then', async (t) => {
  const { hub, client } = await live(t);
  const [peer] = hub.connections;
  peer.deaf.add('request_umbler_data');
  await peer.hears('request_umbler_data');
  const asked = client.requestUmblerData();
  const { id } = await peer.hears('request_umbler_data');
  const contact = (name) => ({
    id: 'c1',
    name,
    tags: [],
    lastInteractionAt: '2026-03-02T13:00:00Z',
    lastMessage: null,
  });
  hub.publish({ contact: contact('in the snapshot') });
  const snapshot = { ...hub.snapshot(), contacts: [contact('in the snapshot')] };
  const last = next(client, 'umbler_update', (_, { seq }) => seq === 12);
  hub.publish({ contact: contact('after the snapshot') });
  await last;
  peer.say('umbler_data', snapshot, id);
  await asked;
  assert.equal(client.data.seq, 12);
  assert.equal(client.data.contacts[0].name, 'after the snapshot');
});

/** A chat that comes into view: its earlier messages are in no update. */
function entering(id, at) {
  const message = { id: `last-of-${id}`, chatId: id, at, text: 'the last one', source: 'Contact', author: null };
  const chat = {
    id,
    contactId: `of-${id}`,
    open: true,
    owner: null,
    members: [],
    sector: null,
    lastMessage: message,
    lastActivityAt: at,
  };
  return { type: 'chat_entered', chat, contact: null };
}

test('a chat that came into view while a slow snapshot was on its way gets its earlier messages with another one', async (t) => {
  const { hub, clock, client } = await live(t);
  const [peer] = hub.connections;
  await peer.hears('request_umbler_data');
  peer.deaf.add('request_umbler_data');
  const told = (seq) => next(client, 'umbler_update', (_, envelope) => envelope.seq === seq);
  const first = told(11);
  hub.publish(entering('a', '2026-03-02T13:00:01Z'));
  await first;
  clock.pass(REFILL_MS);
  const { id } = await peer.hears('request_umbler_data');
  const slow = hub.snapshot();
  const second = told(12);
  hub.publish(entering('b', '2026-03-02T13:00:02Z'));
  await second;
  clock.pass(2 * REFILL_MS);
  peer.say('umbler_data', slow, id);
  await next(client, 'umbler_data');
  clock.pass(REFILL_MS);
  await peer.hears('request_umbler_data');
});

test('a chat that came into view just before the line broke gets its earlier messages in the next session', async (t) => {
  const { hub, clock, client } = await live(t);
  const told = next(client, 'umbler_update');
  hub.publish(entering('a', '2026-03-02T13:00:01Z'));
  await told;
  const lost = status(client, 'recovering');
  hub.connections[0].drop();
  await lost;
  attempt(client, clock);
  await status(client, 'connected');
  const [, peer] = hub.connections;
  assert.equal(peer.count('request_umbler_data'), 0, 'nothing was missed');
  clock.pass(REFILL_MS);
  await peer.hears('request_umbler_data');
});

test('a snapshot that the hub cannot make now is asked for again', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  const [peer] = hub.connections;
  peer.deaf.add('request_umbler_data');
  const data = client.requestUmblerData();
  peer.refuse('unavailable', 'not now', (await peer.hears('request_umbler_data')).id, true);
  peer.deaf.clear();
  peer.say('pong', {});
  await next(client, 'pong');
  clock.pass(2_000);
  assert.equal((await data).seq, 10);
});

test('limits that the hub refuses reject the request and leave the data as it was', async (t) => {
  const { hub, client } = await live(t);
  const [peer] = hub.connections;
  await peer.hears('request_umbler_data');
  peer.deaf.add('request_umbler_data');
  const data = client.requestUmblerData({ chats: 1_000 });
  const { id, data: asked } = await peer.hears('request_umbler_data');
  assert.deepEqual(asked, { contacts: 50, chats: 1_000, messages: 50 });
  peer.refuse('bad_request', 'data.chats must be at most 200', id);
  await assert.rejects(data, { code: 'bad_request' });
  assert.equal(client.isLive, true);
  assert.equal(client.limits.chats, 200);
});

test('two requests for the same snapshot are one on the wire', async (t) => {
  const { hub, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  const [one, two] = await Promise.all([client.requestUmblerData(), client.requestUmblerData()]);
  assert.equal(one, two);
  assert.equal(hub.connections[0].count('request_umbler_data'), 1);
});

test('an answer that never comes ends the session, and the next one brings it', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  hub.connections[0].deaf.add('request_umbler_data');
  const data = client.requestUmblerData();
  await hub.connections[0].hears('request_umbler_data');
  clock.pass(15_000);
  assert.equal(client.status, 'recovering');
  clock.pass(1_000);
  assert.equal((await data).seq, 10);
});

test('frames that are no envelopes, and events that nobody knows, do no harm', async (t) => {
  const { hub, client } = await live(t);
  const [peer] = hub.connections;
  const heard = next(client, 'from_the_future');
  peer.write('no json');
  peer.write('[]');
  peer.write('{"data":1}');
  peer.say('from_the_future', { any: 1 });
  assert.deepEqual(await heard, { any: 1 });
  assert.equal(client.status, 'connected');
});
