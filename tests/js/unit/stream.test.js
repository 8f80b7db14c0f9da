/** The event stream, where WebSockets do not get through. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EventStreamParser } from '../../../static/client/lib/event-stream.js';
import { attempt, next, pair, record, status } from '../support/client.js';

/** Lets attempts follow each other until the client is connected. */
async function persist(client, clock) {
  while (client.status !== 'connected') {
    await Promise.race([next(client, 'error'), status(client, 'connected')]);
    attempt(client, clock);
  }
}

async function streaming(t, more = {}) {
  const all = await pair(t, { ...more, script: { websocket: false, ...more.script } });
  all.client.subscribeToUpdates();
  const connected = all.client.connect();
  const data = all.client.requestUmblerData();
  await persist(all.client, all.clock);
  await connected;
  await data;
  return all;
}

test('after three sockets that never opened, the stream is used: the same envelopes, the same data', async (t) => {
  const { hub, client } = await streaming(t);
  assert.equal(client.transport, 'stream');
  assert.equal(client.data.seq, 10);
  assert.equal(client.isLive, true);
  const [peer] = hub.connections;
  assert.deepEqual(peer.query, { channels: 'updates,stats', contacts: '50', chats: '200', messages: '50' });
  const told = next(client, 'umbler_update');
  hub.publish();
  await told;
  assert.equal(client.data.seq, 11);
});

test('a stream that breaks goes on from its position', async (t) => {
  const { hub, clock, client } = await streaming(t);
  const heard = record(client, 'umbler_update');
  const first = next(client, 'umbler_update');
  hub.publish();
  await first;
  hub.connections[0].drop();
  await status(client, 'recovering');
  hub.record();
  attempt(client, clock);
  await status(client, 'connected');
  const [, peer] = hub.connections;
  assert.equal(peer.query.since, '11');
  assert.equal(peer.headers['last-event-id'], `${hub.epoch}:11`);
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [11, 12],
  );
  assert.equal(client.data.seq, 12);
});

test('the token goes in a header, never in the address', async (t) => {
  const { hub } = await streaming(t, { options: { token: 'secret' }, script: { authRequired: true } });
  const [peer] = hub.connections;
  assert.equal(peer.headers.authorization, 'Bearer secret');
  assert.ok(!JSON.stringify(peer.query).includes('secret'));
});

test('a stream that the hub refuses for its token leaves the client unauthorized', async (t) => {
  const admits = () => {
    throw new Error('no');
  };
  const { clock, client } = await pair(t, {
    options: { token: 'bad', transport: 'stream' },
    script: { authRequired: true, admits },
  });
  await assert.rejects(client.connect(), { code: 'unauthorized' });
  assert.equal(client.status, 'unauthorized');
  assert.deepEqual(clock.waiting, []);
});

test('who is signed in is told on a stream too, and nothing has to be said for it', async (t) => {
  const { client } = await streaming(t, { options: { token: 'secret' }, script: { authRequired: true } });
  assert.equal(client.hello.authRequired, true);
  assert.deepEqual(client.user, { id: 'ana', name: 'Ana', role: 'admin' });
});

test('a new token opens the stream anew with it, and connect resolves once the hub has taken it', async (t) => {
  const { hub, client } = await streaming(t, { options: { token: 'old' }, script: { authRequired: true } });
  await client.connect('new');
  assert.equal(client.status, 'connected');
  assert.equal(hub.connections.at(-1).headers.authorization, 'Bearer new');
  assert.equal(hub.connections.at(-1).query.since, '10');
  assert.equal(hub.connections.length, 2);
});

test('a new token that the hub refuses on a stream rejects connect', async (t) => {
  const admits = (token) => {
    if (token !== 'good') throw new Error('no');
    return null;
  };
  const { client } = await streaming(t, { options: { token: 'good' }, script: { authRequired: true, admits } });
  await assert.rejects(client.connect('bad'), { code: 'unauthorized' });
  assert.equal(client.status, 'unauthorized');
});

test('a stream whose token ends comes back with the token that was given meanwhile', async (t) => {
  const { hub, clock, client } = await streaming(t, { options: { token: 'old' }, script: { authRequired: true } });
  client.configure({ token: 'new' });
  hub.connections[0].say('closed', { code: 4003, reason: 'token expired' });
  hub.connections[0].close();
  await Promise.race([status(client, 'recovering'), status(client, 'unauthorized')]);
  assert.equal(client.status, 'recovering');
  attempt(client, clock);
  await status(client, 'connected');
  assert.equal(hub.connections[1].headers.authorization, 'Bearer new');
});

test('a stream that is refused for its token comes back with the token that was given meanwhile', async (t) => {
  const admits = (token) => {
    if (token === 'new') return null;
    client.configure({ token: 'new' });
    throw new Error('no');
  };
  const options = { token: 'old', transport: 'stream' };
  const { hub, clock, client } = await pair(t, { options, script: { authRequired: true, admits } });
  const connected = client.connect();
  await Promise.race([next(client, 'error'), connected]);
  attempt(client, clock);
  await connected;
  assert.equal(hub.connections[0].headers.authorization, 'Bearer new');
});

test('a stream that the hub closes for good stays closed, as a socket does', async (t) => {
  const { hub, clock, client } = await streaming(t);
  hub.connections[0].say('closed', { code: 4502, reason: 'limit' });
  hub.connections[0].close();
  await status(client, 'disconnected');
  assert.equal(client.error.closeCode, 4502);
  assert.deepEqual(clock.waiting, []);
});

test('a lost update shows on a stream as well', async (t) => {
  const { hub, clock, client } = await streaming(t);
  const [peer] = hub.connections;
  hub.record();
  peer.heartbeat(1);
  await status(client, 'recovering');
  attempt(client, clock);
  await status(client, 'connected');
  assert.equal(client.data.seq, 11);
});

test('a fresh snapshot, or another channel, is another stream', async (t) => {
  const { hub, client } = await streaming(t);
  await client.requestUmblerData({ chats: 5 });
  assert.equal(hub.connections[1].query.chats, '5');
  assert.equal(hub.connections[1].query.since, undefined);
  const third = hub.connection();
  await client.subscribeToUpdates(['chat:a,b']);
  assert.equal((await third).query.since, '10');
});

test('sockets that open and bring nothing count as blocked', async (t) => {
  const { hub, clock, client } = await pair(t);
  hub.script.silent = true;
  client.connect();
  for (let tries = 0; tries < 3; tries += 1) {
    await hub.connection();
    clock.pass(15_000);
    attempt(client, clock);
  }
  await status(client, 'connected');
  assert.equal(client.transport, 'stream');
});

test('a WebSocket that is tried in vain beside a stream does not disturb it', async (t) => {
  const { hub, clock, client } = await streaming(t);
  clock.pass(10_000);
  const told = next(client, 'umbler_update');
  hub.publish();
  await told;
  assert.equal(client.transport, 'stream');
  assert.equal(client.status, 'connected');
  assert.equal(hub.connections.length, 1);
});

test('a WebSocket that gets through again takes over without a gap', async (t) => {
  const { hub, clock, client } = await streaming(t);
  const heard = record(client, 'umbler_update');
  hub.script.websocket = true;
  const socket = hub.connection();
  clock.pass(10_000);
  const peer = await socket;
  await peer.hears('subscribe_updates');
  await status(client, 'connected');
  assert.equal(client.transport, 'websocket');
  await hub.connections[0].closed;
  const told = next(client, 'umbler_update');
  hub.publish();
  await told;
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [11],
  );
});

test('an event stream is read in pieces of any size and with any line end', () => {
  const text = ': hello\r\ndata: {"a":\r\ndata: 1}\r\nid: e:1\r\n\r\ndata:two\n\nevent: x\rdata: three\r\r';
  for (let size = 1; size <= text.length; size += 1) {
    const heard = [];
    const parser = new EventStreamParser((data) => heard.push(data));
    for (let at = 0; at < text.length; at += size) parser.push(text.slice(at, at + size));
    parser.push('\n');
    assert.deepEqual(heard, ['{"a":\n1}', 'two', 'three'], `in pieces of ${size}`);
  }
});
