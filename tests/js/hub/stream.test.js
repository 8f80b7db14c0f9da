/** The event stream of the real hub. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JWT_SECRET, spawnHub, token } from '../support/hub.js';
import { record, screen, status, until } from '../support/screen.js';

test('over a stream an update reaches the data as over a socket', async (t) => {
  const hub = await spawnHub(t);
  const client = screen(t, hub, { transport: 'stream' });
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  await hub.says('a', 'good morning');
  await until(
    client,
    ({ stats, recentMessages }) => stats?.totalMessages === 1 && recentMessages[0]?.text === 'good morning',
  );
  assert.equal(client.transport, 'stream');
});

test('over a stream nothing is missed and nothing told twice when the hub is killed and started', async (t) => {
  const hub = await spawnHub(t);
  const client = screen(t, hub, { transport: 'stream' });
  const heard = record(client, 'umbler_update');
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  await hub.says('a', 'before');
  await until(client, ({ stats }) => stats?.totalMessages === 1);
  const lost = status(client, 'recovering');
  await hub.kill();
  await lost;
  await hub.start();
  await hub.says('a', 'while it was away');
  await until(client, ({ stats, recentMessages }) => stats.totalMessages === 2 && recentMessages.length === 2);
  assert.deepEqual(
    heard.map(({ seq }) => seq),
    [1, 2],
  );
});

test('a stream wants the token in its header', async (t) => {
  const hub = await spawnHub(t, { JWT_SECRET });
  await assert.rejects(screen(t, hub, { transport: 'stream', token: 'nonsense' }).connect(), { code: 'unauthorized' });
  const client = screen(t, hub, { transport: 'stream', token: token() });
  await client.connect();
  assert.equal(client.status, 'connected');
});
