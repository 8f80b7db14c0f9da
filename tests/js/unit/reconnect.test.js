/** Coming back: when, from where, and what it asks for. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BASE_MS, Backoff, CAP_MS } from '../../../static/client/lib/backoff.js';
import { attempt, next, pair, record, status } from '../support/client.js';
import { storage } from '../support/clock.js';

test('waits double up to a cap, and each is anything from nothing to all of it', () => {
  let random = 1;
  const backoff = new Backoff(() => random);
  const waits = Array.from({ length: 9 }, () => backoff.next());
  assert.deepEqual(waits, [500, 1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000]);
  random = 0;
  assert.equal(backoff.next(), 0);
  backoff.reset();
  random = 0.5;
  assert.equal(backoff.next(), BASE_MS / 2);
  assert.equal(CAP_MS, 30_000);
});

test('after a loss the client comes back, subscribes from its position and hears what it missed, once', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  const heard = record(client, 'umbler_update');
  const first = next(client, 'umbler_update');
  hub.publish();
  await first;

  hub.connections[0].drop();
  await status(client, 'recovering');
  hub.record();
  hub.record();
  clock.pass(BASE_MS / 2);
  await status(client, 'connected');

  const [, peer] = hub.connections;
  assert.deepEqual(peer.heard[0].data, {
    channels: ['updates', 'stats'],
    since: 11,
    epoch: hub.epoch,
    scope: hub.scope,
  });
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [11, 12, 13],
  );
  assert.equal(client.data.seq, 13);
  assert.equal(peer.count('request_umbler_data'), 0, 'what was replayed needs no snapshot');
});

test('where the position was not recovered a fresh snapshot takes its place before the client calls itself connected', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  hub.connections[0].drop();
  await status(client, 'recovering');
  hub.script.recovers = false;
  hub.record();
  const held = [];
  client.on('status', (now) => held.push([now, client.data.seq]));
  clock.pass(BASE_MS);
  await status(client, 'connected');
  assert.deepEqual(held.at(-1), ['connected', 11]);
  assert.equal(hub.connections[1].count('request_umbler_data'), 1);
});

test('where nothing happened meanwhile, no snapshot is asked for although nothing was replayed', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  hub.script.recovers = false;
  hub.connections[0].drop();
  await status(client, 'recovering');
  clock.pass(BASE_MS);
  await status(client, 'connected');
  assert.equal(hub.connections[1].count('request_umbler_data'), 0);
});

test('another epoch brings another snapshot, although its positions are smaller', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  hub.connections[0].drop();
  await status(client, 'recovering');
  Object.assign(hub, { epoch: 'epoch-2', seq: 2, journal: [] });
  clock.pass(BASE_MS);
  await status(client, 'connected');
  assert.equal(client.data.epoch, 'epoch-2');
  assert.equal(client.data.seq, 2);
  const told = next(client, 'umbler_update');
  hub.publish();
  await told;
  assert.equal(client.data.seq, 3);
});

test('4000, 4001, 4002, 1001 and a broken line come back', async (t) => {
  for (const code of [4000, 4001, 4002, 1001, null]) {
    const { hub, clock, client } = await pair(t);
    await client.connect();
    if (code === null) hub.connections[0].drop();
    else hub.connections[0].close(code);
    await status(client, 'recovering');
    clock.pass(BASE_MS);
    await status(client, 'connected');
    assert.equal(hub.connections.length, 2, String(code));
  }
});

test('4003 comes back with a fresh token, without waiting', async (t) => {
  let calls = 0;
  const tokenProvider = () => `token-${++calls}`;
  const { hub, clock, client } = await pair(t, { options: { tokenProvider }, script: { authRequired: true } });
  await client.connect();
  hub.connections[0].refuse('token_expired', 'the token has expired');
  hub.connections[0].close(4003);
  await status(client, 'recovering');
  clock.pass(0);
  await status(client, 'connected');
  assert.equal((await hub.connections[1].hears('authenticate')).data.token, 'token-2');
});

test('4003 without a provider is the end: the client is unauthorized', async (t) => {
  const { hub, client } = await pair(t, { script: { authRequired: true } });
  await client.connect('only-one');
  hub.connections[0].close(4003);
  await status(client, 'unauthorized');
});

test('4003 comes back with the token that was being exchanged when the old one ended', async (t) => {
  const { hub, clock, client } = await pair(t, { script: { authRequired: true } });
  await client.connect('old');
  const [peer] = hub.connections;
  await peer.hears('authenticate');
  peer.deaf.add('authenticate');
  client.connect('new').catch(() => {});
  await peer.hears('authenticate');
  peer.close(4003);
  await Promise.race([status(client, 'recovering'), status(client, 'unauthorized')]);
  assert.equal(client.status, 'recovering');
  clock.pass(0);
  await status(client, 'connected');
  assert.equal((await hub.connections[1].hears('authenticate')).data.token, 'new');
});

test('the hub names the moment of return, and nothing hurries it', async (t) => {
  const page = new EventTarget();
  const { hub, clock, client } = await pair(t, { runtime: { window: page } });
  await client.connect();
  hub.connections[0].say('going_away', { reason: 'drain', retryAfterMs: 7_000 });
  hub.connections[0].close(4000);
  await status(client, 'recovering');
  page.dispatchEvent(new Event('online'));
  clock.pass(6_900);
  assert.equal(client.transport, null, 'nothing is tried yet');
  const back = hub.connection();
  clock.pass(100);
  await back;
});

test('the network comes back: a waiting client tries at once', async (t) => {
  const page = new EventTarget();
  const { hub, clock, client } = await pair(t, { runtime: { window: page } });
  await client.connect();
  hub.connections[0].drop();
  await status(client, 'recovering');
  const back = hub.connection();
  page.dispatchEvent(new Event('online'));
  clock.pass(0);
  await back;
});

test('connections that break at once wait longer and longer; one that held begins anew', async (t) => {
  const { hub, clock, client } = await pair(t);
  await client.connect();
  const waits = [];
  for (const held of [0, 0, 0, 6_000, 0]) {
    clock.pass(held);
    hub.connections.at(-1).drop();
    await status(client, 'recovering');
    const begun = clock.time;
    const back = hub.connection();
    attempt(client, clock);
    waits.push(clock.time - begun);
    await back;
    await status(client, 'connected');
  }
  assert.deepEqual(waits, [250, 500, 1000, 250, 500]);
});

test('a hub that does not answer is tried on and on, and said to be unreachable', async (t) => {
  const { hub, clock, client } = await pair(t, { script: { websocket: false, stream: false } });
  const errors = record(client, 'error');
  const connected = client.connect();
  for (let tries = 0; tries < 5; tries += 1) {
    await next(client, 'error');
    assert.equal(client.status, 'connecting');
    attempt(client, clock);
  }
  assert.ok(
    errors.every(({ code, temporary }) => code === 'unreachable' && temporary),
    errors.map(String).join(),
  );
  hub.script.websocket = true;
  while (client.status !== 'connected') {
    await Promise.race([next(client, 'error'), status(client, 'connected')]);
    attempt(client, clock);
  }
  await connected;
  assert.equal(client.error, null);
});

test('a client that is away for ten seconds calls what it holds stale, and knows how old it is', async (t) => {
  const { hub, clock, client } = await pair(t, { script: {} });
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  assert.equal(client.dataAge(), 0);
  hub.connections[0].drop();
  await status(client, 'recovering');
  await hub.stop();
  clock.pass(9_000);
  assert.equal(client.status, 'recovering');
  clock.pass(1_000);
  assert.equal(client.status, 'stale');
  assert.equal(client.dataAge(), 10_000);
  assert.equal(client.data.seq, 10, 'what is held stays visible');
});

test('after a reload the position goes on: nothing that happened meanwhile is missed', async (t) => {
  const kept = storage();
  const { hub, client, clock } = await pair(t, { runtime: { storage: kept } });
  client.subscribeToUpdates();
  await client.connect();
  const told = next(client, 'umbler_update');
  hub.publish();
  await told;
  client.disconnect();
  hub.record();

  const { UmblerHubClient } = await import('../../../static/client/index.js');
  const reloaded = new UmblerHubClient({ url: hub.url }, clock.runtime({ storage: kept }));
  t.after(() => reloaded.disconnect());
  const heard = record(reloaded, 'umbler_update');
  reloaded.subscribeToUpdates();
  const missed = next(reloaded, 'umbler_update');
  reloaded.connect();
  await reloaded.requestUmblerData();
  await missed;
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [12],
  );
  assert.equal(reloaded.data.seq, 12, 'the data itself is not kept, so it is asked for');
});

test('a position in storage that is no position is passed over', async (t) => {
  const { hub, client } = await pair(t, { runtime: { storage: { ...storage(), getItem: () => '{"seq":"many"}' } } });
  client.subscribeToUpdates();
  await client.connect();
  assert.equal(hub.connections[0].heard[0].data.since, undefined);
});

test('which chat a screen shows is told again after a reconnect', async (t) => {
  const { hub, clock, client } = await pair(t);
  await client.connect();
  client.setPresence('a');
  assert.deepEqual((await hub.connections[0].hears('set_presence')).data, { chat: 'a' });
  hub.connections[0].drop();
  await status(client, 'recovering');
  clock.pass(BASE_MS);
  await status(client, 'connected');
  assert.deepEqual((await hub.connections[1].hears('set_presence')).data, { chat: 'a' });
});

test('who begins to follow updates later is told what was missed, and is not live before that', async (t) => {
  const { hub, client } = await pair(t);
  client.subscribeToUpdates(['stats']);
  await client.connect();
  await client.requestUmblerData();
  hub.record();
  const complete = next(client, 'data', ({ seq }) => seq === 11);
  const joined = client.subscribeToUpdates();
  assert.equal(client.isLive, false);
  await joined;
  await complete;
  await status(client, 'connected');
  assert.equal(client.isLive, true);
  const told = next(client, 'umbler_update');
  hub.publish();
  await told;
  assert.equal(client.data.seq, 12);
  assert.equal(hub.connections[0].count('request_umbler_data'), 2);
});

test('a snapshot that was on its way when updates were followed later is asked for again', async (t) => {
  const { hub, client } = await pair(t);
  client.subscribeToUpdates(['stats']);
  await client.connect();
  const [peer] = hub.connections;
  peer.deaf.add('request_umbler_data');
  client.requestUmblerData();
  const { id } = await peer.hears('request_umbler_data');
  const old = hub.snapshot();
  hub.record();
  await client.subscribeToUpdates();
  peer.deaf.clear();
  peer.say('umbler_data', old, id);
  await next(client, 'data', ({ seq }) => seq === 11);
  assert.equal(client.isLive, true);
});

test('who begins to follow updates while the line is down does not take the position for theirs', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates(['stats']);
  await client.connect();
  await client.requestUmblerData();
  hub.record();
  const beat = next(client, 'heartbeat');
  hub.connections[0].heartbeat(0);
  await beat;
  hub.connections[0].drop();
  await status(client, 'recovering');
  client.subscribeToUpdates();
  clock.pass(BASE_MS);
  await status(client, 'connected');
  assert.equal(client.data.seq, 11);
  assert.equal(client.isLive, true);
});
