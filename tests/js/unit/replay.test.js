/** A stretch of the past on a socket of its own, against a hub in the test's hand. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { next, pair, record } from '../support/client.js';
import { storage } from '../support/clock.js';
import { inTime } from '../support/fake-hub.js';

const FROM = '2026-03-02T10:00:00Z';
const PLAYED = { from: FROM, until: '2026-03-02T11:00:00Z', speed: 60, updates: 2 };

/** An update of the past. */
function past(seq) {
  const data = { eventId: `event-${seq}`, type: 'chat_updated', changes: [], chat: null, contact: null };
  return { event: 'umbler_update', seq, timestamp: FROM, data };
}

/** Everything that a replay tells, in order; `over` when it has ended. */
function watched(client, options = {}) {
  const told = [];
  let handle;
  const over = inTime('the end of the replay', (resolve) => {
    handle = client.replay({
      from: FROM,
      onStart: (replay) => told.push(['start', replay]),
      onUpdate: (update, { seq }) => told.push(['update', seq, update.eventId]),
      onEnd: (end) => resolve(told.push(['end', end])),
      onError: (error) => resolve(told.push(['error', error])),
      ...options,
    });
  });
  return { told, over, stop: () => handle.stop() };
}

/** A client, a replay, and the hub's side of its socket, which answers nothing by itself. */
async function replaying(t, { client: settings = {}, options = {} } = {}) {
  const { hub, clock, client } = await pair(t, settings);
  const coming = hub.connection();
  const replay = watched(client, options);
  const peer = await coming;
  peer.deaf.add('subscribe_updates');
  return { hub, clock, client, peer, replay };
}

function grant(peer, id, hub) {
  peer.say(
    'subscribed',
    { ...hub.subscribed({}), recovered: false, replayed: 0, reason: 'replay', replay: PLAYED },
    id,
  );
}

test('a stretch of the past is played on a socket of its own, and the live line is not touched', async (t) => {
  const kept = storage();
  const { hub, clock, client } = await pair(t, { runtime: { storage: kept } });
  const live = record(client, 'umbler_update');
  client.subscribeToUpdates();
  await client.connect();
  const heard = next(client, 'umbler_update');
  hub.publish();
  await heard;
  clock.pass(1_000);
  const position = [...kept.items.values()];

  const coming = hub.connection();
  const replay = watched(client, { until: new Date('2026-03-02T11:00:00Z'), speed: 60, channels: ['chat:a'] });
  const peer = await coming;
  peer.deaf.add('subscribe_updates');
  const asked = await peer.hears('subscribe_updates');
  assert.deepEqual(asked.data, {
    channels: ['chat:a'],
    replayFrom: FROM,
    replayUntil: '2026-03-02T11:00:00.000Z',
    speed: 60,
  });
  peer.subscribed = false;
  grant(peer, asked.id, hub);
  peer.update(past(3));
  peer.say('heartbeat', { seq: 0, sent: 1 });
  peer.update(past(4));
  peer.say('replay_ended', { reason: 'done', seq: 4 });
  await replay.over;
  assert.deepEqual(replay.told, [
    ['start', PLAYED],
    ['update', 3, 'event-3'],
    ['update', 4, 'event-4'],
    ['end', { reason: 'done', seq: 4 }],
  ]);
  assert.equal(await peer.closed, 1000);
  replay.stop();
  clock.pass(60_000);
  assert.equal(replay.told.length, 4, 'nothing follows the end');

  assert.deepEqual([...kept.items.values()], position);
  const again = next(client, 'umbler_update');
  hub.publish();
  await again;
  assert.deepEqual(
    live.map(({ seq }) => seq),
    [11, 12],
  );
  assert.equal(client.status, 'connected');
});

test('a replay that is stopped says so once and closes its socket', async (t) => {
  let heard;
  const first = inTime('the first update', (resolve) => (heard = resolve));
  const { hub, peer, replay } = await replaying(t, { options: { onUpdate: () => heard() } });
  grant(peer, (await peer.hears('subscribe_updates')).id, hub);
  peer.update(past(3));
  await first;
  replay.stop();
  replay.stop();
  await replay.over;
  await peer.closed;
  assert.deepEqual(replay.told, [
    ['start', PLAYED],
    ['end', { reason: 'stopped', seq: 3 }],
  ]);
});

test('a replay that the hub refuses tells why', async (t) => {
  const { peer, replay } = await replaying(t);
  const { id } = await peer.hears('subscribe_updates');
  peer.say(
    'error',
    { code: 'bad_request', message: 'data.replayFrom: not kept', temporary: false, reason: 'too_old' },
    id,
  );
  await replay.over;
  const [[kind, error]] = replay.told;
  assert.deepEqual([kind, error.code, error.reason, error.temporary], ['error', 'bad_request', 'too_old', false]);
  await peer.closed;
});

test('a replay signs in with the token of the client', async (t) => {
  const tokens = [];
  const admits = (token) => {
    tokens.push(token);
    return null;
  };
  const settings = { options: { token: 'the one' }, script: { authRequired: true, admits } };
  const { hub, peer, replay } = await replaying(t, { client: settings });
  grant(peer, (await peer.hears('subscribe_updates')).id, hub);
  peer.say('replay_ended', { reason: 'done', seq: 0 });
  await replay.over;
  assert.deepEqual(tokens, ['the one']);
});

test('without a token that the hub wants there is an error', async (t) => {
  const { peer, replay } = await replaying(t, { client: { script: { authRequired: true } } });
  await replay.over;
  assert.equal(replay.told[0][1].code, 'unauthorized');
  await peer.closed;
});

test('a replay that is cut off is an error that may be tried again, and one that is revoked is none', async (t) => {
  for (const [end, code, temporary] of [
    [(peer) => peer.drop(), 'connection_lost', true],
    [(peer) => peer.close(4000, 'drain'), 'connection_lost', true],
    [(peer) => peer.close(4003), 'unauthorized', false],
    [(peer) => peer.close(4500), 'unauthorized', false],
  ]) {
    const { hub, peer, replay } = await replaying(t);
    grant(peer, (await peer.hears('subscribe_updates')).id, hub);
    end(peer);
    await replay.over;
    const [kind, error] = replay.told.at(-1);
    assert.deepEqual([kind, error.code, error.temporary], ['error', code, temporary]);
  }
});

test('an update that went missing in a replay is noticed', async (t) => {
  const { hub, peer, replay } = await replaying(t);
  grant(peer, (await peer.hears('subscribe_updates')).id, hub);
  peer.say('heartbeat', { seq: 0, sent: 1 });
  await replay.over;
  assert.equal(replay.told.at(-1)[1].code, 'updates_lost');
});

test('a hub that says nothing for long is given up', async (t) => {
  let begun;
  const start = inTime('the beginning', (resolve) => (begun = resolve));
  const { hub, clock, peer, replay } = await replaying(t, { options: { onStart: () => begun() } });
  peer.deaf.add('ping');
  grant(peer, (await peer.hears('subscribe_updates')).id, hub);
  await start;
  clock.pass(35_000);
  await peer.hears('ping');
  clock.pass(4_000);
  await replay.over;
  assert.equal(replay.told.at(-1)[1].code, 'connection_lost');
});

test('a hub that does not know replays is not followed live instead', async (t) => {
  const { hub, peer, replay } = await replaying(t);
  const { id } = await peer.hears('subscribe_updates');
  peer.say('subscribed', hub.subscribed({}), id);
  await replay.over;
  assert.equal(replay.told[0][1].code, 'unsupported_event');
  await peer.closed;
});
