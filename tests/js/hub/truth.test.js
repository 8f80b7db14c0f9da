/** The client on the real hub: what is held is what a fresh snapshot says, whatever happens in between. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';

import { Random } from '../support/random.js';
import { JWT_SECRET, spawnHub, token } from '../support/hub.js';
import { next, record, screen, status, until } from '../support/screen.js';

const LISTS = ['contacts', 'chats', 'recentMessages'];

async function live(t, hub, options) {
  const client = screen(t, hub, options);
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  return client;
}

/** Both hold the same, on the counters and on every item that both hold. */
async function agrees(t, hub, client, options = {}) {
  const fresh = await live(t, hub, options);
  const { seq } = fresh.data;
  // Who sees everything hears the last update. After a broken line counters come ahead of what was missed.
  const reached = (data) => data.stats.asOfSeq === seq && (options.token || data.seq === seq);
  await until(client, reached, `position ${seq}`);
  // Order is the fence for others: whatever was sent before the answer has come.
  await client.subscribeToUpdates(['chat:nobody']);
  assert.deepEqual(client.data.stats, fresh.data.stats);
  let compared = 0;
  for (const list of LISTS) {
    const known = new Map(fresh.data[list].map((item) => [item.id, item]));
    for (const item of client.data[list]) {
      if (!known.has(item.id)) continue;
      assert.deepEqual(item, known.get(item.id), list);
      compared += 1;
    }
  }
  // A chat that comes into a limited user's view brings its earlier messages with a snapshot, a moment later.
  // The hub chooses a limited user's contacts by what that user is not shown.
  const lists = options.token ? ['chats', 'recentMessages'] : LISTS;
  await until(client, (data) => lists.every((list) => isTop(data[list], fresh.data[list])), 'the order');
  return compared;
}

/** True where what is held is the top of what there is. */
function isTop(held, there) {
  return held.every(({ id }, index) => id === there[index]?.id);
}

test('an update that is posted reaches the data, and no snapshot is asked for again', async (t) => {
  const hub = await spawnHub(t);
  const client = await live(t, hub);
  const snapshots = record(client, 'umbler_data');
  await hub.says('a', 'good morning');
  await until(client, ({ stats, chats }) => stats?.totalMessages === 1 && chats.length === 1);
  assert.equal(client.data.recentMessages[0].text, 'good morning');
  assert.equal(client.data.contacts[0].name, 'Contact of a');
  assert.equal(client.data.stats.openChats, 1);
  assert.deepEqual(snapshots, []);
});

test('after a working day that was watched, a screen holds what a fresh one gets', async (t) => {
  const hub = await spawnHub(t);
  const client = await live(t, hub);
  await hub.run('simulate', '--url', hub.origin, '--rate', '0', '--seed', '7', '--count', '3000', '--connections', '4');
  const compared = await agrees(t, hub, client);
  assert.ok(compared > 100, `${compared} items were compared`);
});

test('agents that are named while a day is watched carry their names wherever a fresh screen shows them', async (t) => {
  const hub = await spawnHub(t);
  const client = await live(t, hub);
  const day = (seed) => hub.run('simulate', '--url', hub.origin, '--rate', '0', '--seed', seed, '--count', '600');
  await day('21');
  const { members } = await hub.json('/api/umbler/members?limit=200');
  assert.ok(members.length > 2 && members.every(({ known }) => !known), 'the provider names nobody');
  const file = join(hub.home, 'agents.csv');
  const write = (word) => writeFile(file, ['id,name', ...members.map(({ id }) => `${id},${word} ${id}`)].join('\n'));
  await write('first');
  await hub.run('members', 'import', file, '--url', hub.origin);
  await day('22');
  await write('second');
  const renamed = next(client, 'umbler_update', ({ type }) => type === 'member_updated');
  await hub.run('members', 'import', file, '--url', hub.origin);
  await renamed;
  const snapshots = record(client, 'umbler_data');
  await agrees(t, hub, client);
  const owners = client.data.chats.filter(({ owner }) => owner).map(({ owner }) => owner);
  assert.ok(owners.length > 2 && owners.every(({ id, name }) => name === `second ${id}`), JSON.stringify(owners));
  assert.deepEqual(snapshots, [], 'by the update alone');
});

test('a user who sees one sector holds what a fresh screen of theirs gets, while chats come and go', async (t) => {
  const hub = await spawnHub(t, { JWT_SECRET });
  const day = (seed, count) => ['simulate', '--url', hub.origin, '--rate', '0', '--seed', seed, '--count', count];
  await hub.run(...day('11', '300'));
  const { chats } = await hub.json('/api/umbler/chats?status=open', token());
  const sectors = [chats.find((chat) => chat.sector !== null).sector.id];
  const options = { token: token({ sub: 'bia', role: 'agent', sectors }) };
  const client = await live(t, hub, options);
  const types = new Set();
  client.on('umbler_update', ({ type }) => types.add(type));
  await hub.run(...day('12', '2000'));
  const compared = await agrees(t, hub, client, options);
  assert.ok(compared > 20, `${compared} items were compared`);
  assert.ok(types.has('chat_gone') && types.has('chat_entered'), [...types].join());
  assert.ok(client.data.chats.every(({ sector }) => sectors.includes(sector.id)));
});

test('a chat that a message brings into view comes with its earlier messages', async (t) => {
  const hub = await spawnHub(t, { JWT_SECRET });
  const within = (id) => (_, content) => (content.Sector = { Id: id, Name: id });
  for (const text of ['one', 'two', 'three']) await hub.says('a', text, within('support'));
  const options = { token: token({ sub: 'bia', role: 'agent', sectors: ['sales'] }) };
  const client = await live(t, hub, options);
  assert.deepEqual(client.data.recentMessages, []);
  await hub.says('a', 'four', within('sales'));
  await until(client, ({ recentMessages }) => recentMessages.length === 4, 'all four messages');
  await agrees(t, hub, client, options);
});

test('after a day of broken lines a screen holds what a fresh one gets, and heard each update once', async (t) => {
  const hub = await spawnHub(t);
  const line = await breakable(t, hub.settings.PORT);
  const client = await live(t, { socket: line.url });
  const heard = record(client, 'umbler_update');
  const random = new Random(3);
  const day = hub.run(
    'simulate',
    '--url',
    hub.origin,
    '--rate',
    '400',
    '--seed',
    '9',
    '--count',
    '2000',
    '--connections',
    '2',
  );
  let broken = 0;
  const breaker = client.on('umbler_update', (_, { seq }) => {
    if (seq % 200 === 0 && random.chance(0.8)) {
      broken += 1;
      line.cut();
    }
  });
  await day;
  breaker();
  await agrees(t, hub, client);
  assert.ok(broken > 2, `the line was cut ${broken} times`);
  const seqs = heard.map(({ seq }) => seq);
  assert.deepEqual(
    seqs,
    [...new Set(seqs)].sort((a, b) => a - b),
    'in order, each once',
  );
  assert.equal(seqs.length, seqs.at(-1) - seqs[0] + 1, 'and none was missed');
});

test('after kill -9 and a start the screen is current again by itself', async (t) => {
  const hub = await spawnHub(t);
  const client = await live(t, hub);
  await hub.says('a', 'before');
  await until(client, ({ stats }) => stats.totalMessages === 1);
  const lost = status(client, 'recovering');
  await hub.kill();
  await lost;
  assert.equal(client.data.recentMessages[0].text, 'before', 'what is held stays');
  await hub.start();
  await hub.says('a', 'while it was away');
  await status(client, 'connected');
  await until(client, ({ stats, recentMessages }) => stats.totalMessages === 2 && recentMessages.length === 2);
  await agrees(t, hub, client);
});

test('a hub with a key lets a token in, and nobody without', async (t) => {
  const hub = await spawnHub(t, { JWT_SECRET });
  await assert.rejects(screen(t, hub).connect(), { code: 'unauthorized' });
  await assert.rejects(screen(t, hub).connect('no.real.token'), { code: 'unauthorized' });
  const client = screen(t, hub, { tokenProvider: async () => token({ name: 'Ana' }) });
  client.subscribeToUpdates();
  await client.connect();
  assert.equal(client.user.name, 'Ana');
  await hub.says('a', 'hello');
  assert.equal((await client.get('/api/umbler/chats/a/messages', { limit: 1 })).messages[0].text, 'hello');
  await assert.rejects(client.get('/api/umbler/chats/none'), { code: 'not_found' });
});

test('a token is exchanged on the open socket, and one that ends is replaced', async (t) => {
  const hub = await spawnHub(t, { JWT_SECRET });
  const client = screen(t, hub);
  client.subscribeToUpdates();
  await client.connect(token({ exp: Math.floor(Date.now() / 1000) + 600 }));
  const authenticated = next(client, 'authenticated');
  await client.connect(token({ exp: Math.floor(Date.now() / 1000) + 7200 }));
  assert.ok(Date.parse((await authenticated).expiresAt) > Date.now() + 7_000_000);
  assert.equal(client.status, 'connected');
  await assert.rejects(client.connect('nonsense'), { code: 'unauthorized' });
  assert.equal(client.status, 'connected', 'a bad token changes nothing');
});

/** A line to the hub that a test can cut. */
async function breakable(t, port) {
  const pairs = new Set();
  const server = createServer((near) => {
    const far = connect(Number(port), '127.0.0.1');
    const both = { near, far };
    pairs.add(both);
    near.pipe(far);
    far.pipe(near);
    for (const socket of [near, far]) {
      socket.on('error', () => {});
      socket.on('close', () => {
        near.destroy();
        far.destroy();
        pairs.delete(both);
      });
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  const cut = () => {
    for (const { near, far } of pairs) {
      near.destroy();
      far.destroy();
    }
  };
  t.after(() => {
    cut();
    server.close();
  });
  return { url: `ws://127.0.0.1:${server.address().port}/ws`, cut };
}
