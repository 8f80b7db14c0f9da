/** Several hubs behind one address: the client may come back to another one than it left. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { BASE_MS } from '../../../static/client/lib/backoff.js';
import { next, pair, status } from '../support/client.js';

test('a hub that has not reached the position sends the client on: it keeps the position and takes its time', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  const first = next(client, 'umbler_update');
  hub.publish();
  await first;
  let opened = hub.connection();
  hub.connections[0].drop();
  await status(client, 'recovering');
  clock.pass(BASE_MS);

  for (const retryAfterMs of [1_000, 1_700]) {
    const peer = await opened;
    peer.deaf.add('subscribe_updates');
    assert.equal((await peer.hears('subscribe_updates')).data.since, 11);
    const told = next(client, 'going_away');
    peer.say('going_away', { reason: 'too_far_ahead', retryAfterMs });
    await told;
    const gone = next(client, 'error');
    peer.close(4000);
    await gone;
    opened = hub.connection();
    const { length } = hub.connections;
    clock.pass(retryAfterMs - 1);
    assert.equal(client.transport, null, 'it waits as long as it was told');
    assert.equal(hub.connections.length, length);
    clock.pass(1);
  }

  const peer = await opened;
  await status(client, 'connected');
  assert.equal((await peer.hears('subscribe_updates')).data.since, 11);
  assert.equal(client.data.seq, 11);
  const snapshots = hub.connections.map((each) => each.count('request_umbler_data'));
  assert.deepEqual(snapshots, [1, 0, 0, 0], 'nothing was missed, so it needs no other snapshot');
});
