/** Connecting, signing in, and being refused. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { next, pair, record, status } from '../support/client.js';

test('connect resolves once the hub has greeted and acknowledged the subscriptions', async (t) => {
  const { hub, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  assert.equal(client.status, 'connected');
  assert.deepEqual(
    hub.connections[0].heard.map(({ event }) => event),
    ['subscribe_updates'],
  );
  assert.deepEqual(hub.connections[0].heard[0].data.channels, ['updates', 'stats']);
});

test('connect called twice opens one socket and resolves both', async (t) => {
  const { hub, client } = await pair(t);
  await Promise.all([client.connect(), client.connect()]);
  await client.connect();
  assert.equal(hub.connections.length, 1);
});

test('data is never null, and empty before the first snapshot', async (t) => {
  const { client } = await pair(t);
  assert.equal(client.data.stats?.totalContacts, undefined);
  assert.deepEqual(client.data.contacts, []);
  assert.equal(client.dataAge(), null);
});

test('a token is sent where the hub wants one, and never stands in the address', async (t) => {
  const { hub, client } = await pair(t, { script: { authRequired: true } });
  client.subscribeToUpdates();
  await client.connect('the-token');
  const [peer] = hub.connections;
  assert.deepEqual(
    peer.heard.map(({ event }) => event),
    ['authenticate', 'subscribe_updates'],
  );
  assert.equal(peer.heard[0].data.token, 'the-token');
  assert.equal(client.user?.name, 'Ana');
  assert.ok(!client.url.includes('token'));
});

test('a hub that wants a token and gets none leaves the client unauthorized, and connect says why', async (t) => {
  const { client } = await pair(t, { script: { authRequired: true } });
  await assert.rejects(client.connect(), { name: 'HubError', code: 'unauthorized' });
  assert.equal(client.status, 'unauthorized');
  assert.equal(client.error?.code, 'unauthorized');
});

test('a refused token rejects connect with the words of the hub, and nothing is tried again', async (t) => {
  const admits = () => {
    throw { code: 'unauthorized', message: 'the token has expired' };
  };
  const { hub, clock, client } = await pair(t, { script: { authRequired: true, admits } });
  await assert.rejects(client.connect('old'), /the token has expired/);
  clock.pass(600_000);
  assert.equal(hub.connections.length, 1);
});

test('a refused token is renewed once by the provider before the client gives up', async (t) => {
  const asked = [];
  const tokenProvider = ({ reason }) => {
    asked.push(reason);
    return `token-${asked.length}`;
  };
  const admits = (token) => {
    if (token !== 'token-2') throw { code: 'unauthorized', message: 'no' };
    return null;
  };
  const { hub, client } = await pair(t, { options: { tokenProvider }, script: { authRequired: true, admits } });
  await client.connect();
  assert.deepEqual(asked, ['first', 'refused']);
  assert.equal(hub.connections.length, 1);
});

test('a token that is refused does not take along the one that was given meanwhile', async (t) => {
  const admits = (token) => {
    if (token === 'new') return null;
    client.configure({ token: 'new' });
    throw { code: 'unauthorized', message: 'no' };
  };
  const { hub, client } = await pair(t, { script: { authRequired: true, admits } });
  await client.connect('old');
  assert.deepEqual(
    hub.connections[0].heard.map(({ data }) => data.token),
    ['old', 'new'],
  );
});

test('a provider that fails is asked again later', async (t) => {
  let calls = 0;
  const tokenProvider = async () => {
    calls += 1;
    if (calls === 1) throw new Error('the sign-in service is away');
    return 'good';
  };
  const { clock, client } = await pair(t, { options: { tokenProvider }, script: { authRequired: true } });
  const failed = next(client, 'error');
  const connected = client.connect();
  assert.equal((await failed).code, 'token_unavailable');
  clock.pass(1_000);
  await connected;
  assert.equal(calls, 2);
});

test('a token that is about to expire is exchanged on the open socket, with one call for several reasons', async (t) => {
  let calls = 0;
  const tokenProvider = () => `token-${++calls}`;
  const { hub, client } = await pair(t, { options: { tokenProvider }, script: { authRequired: true } });
  await client.connect();
  const [peer] = hub.connections;
  await peer.hears('authenticate');
  peer.say('token_expiring', { expiresAt: hub.timestamp() });
  peer.say('token_expiring', { expiresAt: hub.timestamp() });
  const { data } = await peer.hears('authenticate');
  assert.equal(data.token, 'token-2');
  assert.equal(calls, 2);
  assert.equal(hub.connections.length, 1);
  assert.equal(client.status, 'connected');
});

test('without a word of the hub a token is exchanged a minute before it ends', async (t) => {
  let calls = 0;
  const tokenProvider = () => `token-${++calls}`;
  const { hub, clock, client } = await pair(t, { options: { tokenProvider }, script: { authRequired: true } });
  hub.script.admits = () => new Date(clock.time + 80_000).toISOString();
  await client.connect();
  const [peer] = hub.connections;
  await peer.hears('authenticate');
  clock.pass(19_000);
  assert.equal(calls, 1);
  clock.pass(1_500);
  assert.equal((await peer.hears('authenticate')).data.token, 'token-2');
});

test('a bad token given while connected changes nothing, now or at the next reconnect', async (t) => {
  const admits = (token) => {
    if (token !== 'good') throw { code: 'unauthorized', message: 'no' };
    return null;
  };
  const { hub, clock, client } = await pair(t, { script: { authRequired: true, admits } });
  await client.connect('good');
  await assert.rejects(client.connect('bad'), { code: 'unauthorized' });
  assert.equal(client.status, 'connected');
  hub.connections[0].drop();
  await status(client, 'recovering');
  clock.pass(1_000);
  await status(client, 'connected');
  assert.equal(hub.connections[1].heard[0].data.token, 'good');
});

test('another user on the same page gets a session of their own, and sees nothing of the first', async (t) => {
  const { hub, client } = await pair(t, { script: { authRequired: true } });
  client.subscribeToUpdates();
  await client.connect('ana');
  await client.requestUmblerData();
  assert.notEqual(client.data.seq, null);
  let admitted = 0;
  hub.script.admits = () => {
    if (admitted++ === 0) throw { code: 'forbidden', message: 'this socket belongs to another user' };
    return null;
  };
  const cleared = next(client, 'data', (data) => data.seq === null);
  await client.connect('bob');
  await cleared;
  assert.equal(hub.connections.length, 2);
  assert.equal(hub.connections[1].heard[0].data.token, 'bob');
  assert.equal(hub.connections[1].heard[1].data.since, undefined, 'nor does the position of the first go on');
});

/** Signs in ana, who sees something, and ends her session; what then happens to the page is the test's. */
async function afterAna(t, end, { transport = 'websocket' } = {}) {
  const user = (token) => ({ id: token, name: token, role: token === 'ana' ? 'supervisor' : 'viewer' });
  const all = await pair(t, { options: { transport }, script: { authRequired: true, user } });
  const { hub, client } = all;
  client.subscribeToUpdates();
  await client.connect('ana');
  await client.requestUmblerData();
  assert.equal(client.data.seq, 10);
  await end(client, hub.connections.at(-1));
  assert.equal(client.data.seq, 10, 'whoever comes back finds it');
  hub.record();
  const held = [];
  client.on('status', (now) => held.push([now, client.data.seq]));
  return { ...all, held };
}

test('whoever signs in after the end of a token sees nothing of the user before, not even for a moment', async (t) => {
  const { hub, client, held } = await afterAna(t, async (client, peer) => {
    peer.close(4003);
    await status(client, 'unauthorized');
  });
  const { seq } = await Promise.all([client.connect('bob'), next(client, 'umbler_data')]).then(() => client.data);
  assert.equal(seq, 11);
  assert.deepEqual(
    held.filter(([, now]) => now === 10).map(([now]) => now),
    ['connecting'],
  );
  const [, subscribe] = hub.connections.at(-1).heard;
  assert.equal(subscribe.event, 'subscribe_updates');
  assert.equal(subscribe.data.since, undefined, 'nor does the position of the first go on');
});

test('whoever signs in after disconnect sees nothing of the user before', async (t) => {
  const { client, held } = await afterAna(t, (client) => client.disconnect());
  await client.connect('bob');
  assert.notEqual(held.at(-1)[1], 10);
  assert.deepEqual(client.user?.id, 'bob');
});

test('on a stream too whoever signs in sees nothing of the user before', async (t) => {
  const { hub, client, held } = await afterAna(t, (client) => client.disconnect(), { transport: 'stream' });
  await Promise.all([client.connect('bob'), next(client, 'data', ({ seq }) => seq === 11)]);
  assert.deepEqual(
    held.filter(([, now]) => now === 10).map(([now]) => now),
    ['connecting'],
  );
  assert.equal(hub.connections.at(-1).query.since, undefined);
});

test('the same user with a token of another scope sees nothing that only the first token allowed', async (t) => {
  const { hub, client, held } = await afterAna(t, (client) => client.disconnect());
  hub.scope = 'scope-2';
  await client.connect('ana');
  assert.equal(held.at(-1)[0], 'connected');
  assert.notEqual(held.at(-1)[1], 10);
});

test('the same user goes on where they were', async (t) => {
  const { hub, client } = await afterAna(t, (client) => client.disconnect());
  await client.connect('ana');
  assert.equal(hub.connections.at(-1).heard[1].data.since, 10);
  assert.equal(hub.connections.at(-1).count('request_umbler_data'), 0);
});

test('close codes of 4500 and above stay away, and say why', async (t) => {
  for (const [code, wanted] of [
    [4500, 'unauthorized'],
    [4501, 'unauthorized'],
    [4502, 'disconnected'],
    [4503, 'disconnected'],
  ]) {
    const { hub, clock, client } = await pair(t);
    await client.connect();
    hub.connections[0].close(code);
    await status(client, wanted);
    assert.equal(client.error?.closeCode, code);
    clock.pass(600_000);
    assert.equal(hub.connections.length, 1, String(code));
  }
});

test('nothing of a revoked user stays on the screen', async (t) => {
  const { hub, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  hub.connections[0].close(4500);
  await status(client, 'unauthorized');
  assert.equal(client.data.seq, null);
  assert.equal(client.data.stats, null);
});

test('a channel that is forbidden is refused by name, and the connection goes on without it', async (t) => {
  const { hub, client } = await pair(t);
  await client.connect();
  const [peer] = hub.connections;
  peer.deaf.add('subscribe_updates');
  const refused = client.subscribeToUpdates(['user:bob']);
  const { id } = await peer.hears('subscribe_updates');
  peer.refuse('forbidden', 'the token does not allow user:bob', id);
  await assert.rejects(refused, { code: 'forbidden' });
  assert.equal(client.status, 'connected');
});

test('channels whose subscription the hub had not answered at disconnect are subscribed to by the next session', async (t) => {
  const { hub, client } = await pair(t);
  await client.connect();
  const [peer] = hub.connections;
  peer.deaf.add('subscribe_updates');
  const unanswered = client.subscribeToUpdates();
  await peer.hears('subscribe_updates');
  client.disconnect();
  await assert.rejects(unanswered, { code: 'disconnected' });
  await client.connect();
  assert.deepEqual(
    hub.connections[1].heard.map(({ event, data }) => [event, data.channels]),
    [['subscribe_updates', ['updates', 'stats']]],
  );
});

test('disconnect ends it, and connect begins again', async (t) => {
  const { hub, clock, client } = await pair(t);
  await client.connect();
  client.disconnect();
  assert.equal(client.status, 'disconnected');
  assert.equal(client.error, null);
  assert.deepEqual(clock.waiting, [], 'no timer is left');
  await client.connect();
  assert.equal(hub.connections.length, 2);
});

test('disconnect before the hub answered rejects whoever waits', async (t) => {
  const { client } = await pair(t);
  const connecting = client.connect();
  const data = client.requestUmblerData();
  client.disconnect();
  await assert.rejects(connecting, { code: 'disconnected' });
  await assert.rejects(data, { code: 'disconnected' });
});

test('a listener that throws stops neither the others nor the client', async (t) => {
  const { hub, client } = await pair(t);
  const reported = [];
  globalThis.reportError = (error) => reported.push(error.message);
  t.after(() => delete globalThis.reportError);
  client.on('umbler_update', () => {
    throw new Error('a bug of the page');
  });
  const heard = record(client, 'umbler_update');
  client.subscribeToUpdates();
  await client.connect();
  const second = next(client, 'umbler_update', (_, { seq }) => seq === 12);
  hub.publish();
  hub.publish();
  await second;
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [11, 12],
  );
  assert.deepEqual(reported, ['a bug of the page', 'a bug of the page']);
});
