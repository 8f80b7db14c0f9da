/** Metrics that are pushed: frames are merged into whole tables, and a reconnect begins them anew. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { Boards } from '../../../static/client/lib/boards.js';
import { next, pair, record } from '../support/client.js';
import { Random } from '../support/random.js';

const ABOUT = { asOfSeq: 1, rebuilding: null, now: '2026-03-02T13:00:00Z', from: '2026-03-02T03:00:00Z' };
const NOTHING = { rows: [], gone: [] };

function frame(channel, full, { live = NOTHING, today = NOTHING, ...about } = {}) {
  return {
    channel,
    full,
    ...ABOUT,
    ...about,
    live: { gone: [], rows: [], ...live },
    today: { gone: [], rows: [], ...today },
  };
}

test('changed cells are merged, rows come and go, and nothing that was handed out changes', () => {
  const boards = new Boards();
  const channel = 'metrics:agents';
  boards.take(
    frame(channel, true, {
      live: {
        rows: [
          { id: 'ana', name: 'Ana', open: 1, waiting: 1 },
          { id: null, name: null, open: 4, waiting: 4 },
        ],
      },
      today: {
        rows: [
          { id: 'ana', name: 'Ana', metric: 'created', n: 1 },
          { id: 'ana', name: 'Ana', metric: 'messagesIn', n: 3 },
        ],
      },
    }),
  );
  const first = boards.get(channel);
  const copy = structuredClone(first);
  boards.take(
    frame(channel, false, {
      asOfSeq: 2,
      live: {
        rows: [
          { id: 'ana', open: 2 },
          { id: 'bia', name: null, open: 1, waiting: 0 },
        ],
        gone: [null],
      },
      today: {
        rows: [
          { id: 'ana', metric: 'replyTime', name: 'Ana', n: 1 },
          { id: 'ana', metric: 'created', n: 2 },
        ],
        gone: [{ id: 'ana', metric: 'messagesIn' }],
      },
    }),
  );
  assert.deepEqual(first, copy);
  assert.deepEqual(boards.get(channel), {
    channel,
    ...ABOUT,
    asOfSeq: 2,
    live: [
      { id: 'ana', name: 'Ana', open: 2, waiting: 1 },
      { id: 'bia', name: null, open: 1, waiting: 0 },
    ],
    today: [
      { id: 'ana', name: 'Ana', metric: 'replyTime', n: 1 },
      { id: 'ana', name: 'Ana', metric: 'created', n: 2 },
    ],
  });
  const { live } = boards.get(channel);
  boards.take(frame(channel, false, { today: { rows: [{ id: 'ana', metric: 'created', n: 3 }] } }));
  assert.equal(boards.get(channel).live, live, 'what did not change is the same');
});

test('any run of differences ends in the table that they lead to', () => {
  for (let seed = 1; seed <= 50; seed += 1) {
    const random = new Random(seed);
    const boards = new Boards();
    let truth = new Map();
    const rows = () => [...truth].sort(([a], [b]) => (a < b ? -1 : 1)).map(([id, cells]) => ({ id, ...cells }));
    boards.take(frame('metrics:tags', true));
    for (let step = 0; step < 60; step += 1) {
      const before = truth;
      truth = new Map([...before].filter(() => !random.chance(0.1)));
      for (let count = random.below(4); count > 0; count -= 1) {
        truth.set(`tag-${random.below(9)}`, { open: random.below(3), idle: random.below(3) });
      }
      const changed = rows().flatMap(({ id, ...cells }) => {
        const known = before.get(id) ?? {};
        const cell = Object.entries(cells).filter(([column, value]) => known[column] !== value);
        return cell.length === 0 ? [] : [{ id, ...Object.fromEntries(cell) }];
      });
      const gone = [...before.keys()].filter((id) => !truth.has(id));
      boards.take(frame('metrics:tags', false, { live: { rows: changed, gone } }));
      assert.deepEqual(boards.get('metrics:tags').live, rows(), `seed ${seed}, step ${step}`);
    }
  }
});

test('frames are told as they come and as tables, and a channel that is left holds nothing', async (t) => {
  const { hub, client } = await pair(t);
  client.subscribeToUpdates(['metrics:live']);
  const opened = hub.connection();
  const connected = client.connect();
  const peer = await opened;
  await connected;
  assert.equal(client.metrics('metrics:live'), null);
  const tables = record(client, 'metrics');
  let told = next(client, 'metrics_update');
  peer.say('metrics_update', frame('metrics:live', true, { live: { rows: [{ open: 3, waiting: 1 }] } }));
  assert.equal((await told).full, true);
  told = next(client, 'metrics');
  peer.say('metrics_update', frame('metrics:live', false, { live: { rows: [{ open: 4 }] } }));
  assert.deepEqual((await told).live, [{ open: 4, waiting: 1 }]);
  assert.equal(tables.length, 2);
  assert.equal(client.metrics('metrics:live'), tables[1]);
  await client.unsubscribeFromUpdates(['metrics:live']);
  assert.equal(client.metrics('metrics:live'), null);
  const late = next(client, 'metrics_update');
  peer.say('metrics_update', frame('metrics:live', false, { live: { rows: [{ open: 5 }] } }));
  await late;
  assert.equal(client.metrics('metrics:live'), null, 'changes to nothing are nothing');
});

test('the channel is subscribed to again after a reconnect, and its first frame replaces the table', async (t) => {
  const { hub, clock, client } = await pair(t);
  client.subscribeToUpdates(['metrics:live']);
  let opened = hub.connection();
  const connected = client.connect();
  let peer = await opened;
  await connected;
  let told = next(client, 'metrics');
  peer.say('metrics_update', frame('metrics:live', true, { live: { rows: [{ open: 3, idle: 1 }] } }));
  await told;
  opened = hub.connection();
  const again = next(client, 'subscribed');
  const lost = next(client, 'status', (status) => status !== 'connected');
  peer.drop();
  await lost;
  assert.equal(client.metrics('metrics:live').live[0].open, 3, 'what is held stays while nobody can tell');
  while (client.transport === null) clock.pass(50);
  peer = await opened;
  assert.deepEqual((await again).channels, ['metrics:live']);
  told = next(client, 'metrics');
  peer.say('metrics_update', frame('metrics:live', true, { live: { rows: [{ open: 1, idle: 0 }] } }));
  assert.deepEqual((await told).live, [{ open: 1, idle: 0 }]);
});
