/** A stretch of the past of the real hub, beside the live line. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { JWT_SECRET, spawnHub, token } from '../support/hub.js';
import { next, record, screen } from '../support/screen.js';

/** Plays a stretch to its end. */
function played(client, options) {
  const heard = [];
  return new Promise((resolve, reject) => {
    client.replay({
      speed: 1000,
      onStart: (replay) => heard.push(replay.updates),
      onUpdate: (_, envelope) => heard.push(envelope),
      onEnd: (end) => resolve([...heard, end]),
      onError: reject,
      ...options,
    });
  });
}

test('what is played is what came live, and the live line goes on', async (t) => {
  const hub = await spawnHub(t, { JWT_SECRET });
  const client = screen(t, hub, { token: token() });
  const live = record(client, 'umbler_update');
  client.subscribeToUpdates();
  await client.connect();
  await client.requestUmblerData();
  for (const [chat, text] of [
    ['a', 'one'],
    ['b', 'two'],
    ['a', 'three'],
  ]) {
    const heard = next(client, 'umbler_update');
    await hub.says(chat, text);
    await heard;
  }
  const from = live[0].timestamp;
  assert.deepEqual(await played(client, { from }), [3, ...live, { reason: 'done', seq: 3 }]);
  const ofOne = await played(client, { from: new Date(from), channels: ['chat:a'] });
  assert.deepEqual(ofOne, [2, live[0], live[2], { reason: 'done', seq: 3 }]);
  const one = await played(client, { from, until: from });
  assert.deepEqual(one, [1, live[0], { reason: 'done', seq: 1 }]);

  const heard = next(client, 'umbler_update');
  await hub.says('a', 'live');
  await heard;
  assert.deepEqual(
    live.map(({ seq }) => seq),
    [1, 2, 3, 4],
  );
  // Counters are told at most four times a second.
  while (client.data.stats.totalMessages < 4) await next(client, 'umbler_stats');
});

test('a replay that is stopped ends, and one of the future is refused', async (t) => {
  const hub = await spawnHub(t);
  const client = screen(t, hub);
  await hub.says('a', 'one');
  // Nothing happened in most of this hour: five seconds of silence come first.
  const from = new Date(Date.now() - 3_600_000);
  const end = await new Promise((resolve, reject) => {
    const replay = client.replay({ from, onStart: () => replay.stop(), onEnd: resolve, onError: reject });
  });
  assert.deepEqual(end, { reason: 'stopped', seq: 0 });
  await assert.rejects(played(client, { from: new Date(Date.now() + 3_600_000) }), {
    code: 'bad_request',
    message: /replayFrom/,
  });
  await assert.rejects(played(client, { from, speed: 5_000 }), { code: 'bad_request', message: /speed/ });
});
