/** What the demo of a cluster finds where something is lost, doubled or different. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { test } from 'node:test';

import { Ledger } from '../../../scripts/cluster/ledger.mjs';

/** A hub that shows these updates: pairs of position and id. */
async function hub(t, name, updates) {
  const server = createServer((request, response) => {
    const after = Number(new URL(request.url, 'http://hub').searchParams.get('after'));
    const left = updates.filter(([seq]) => seq > after);
    const shown = left.map(([seq, eventId, text = '']) => ({ seq, data: { eventId, text } }));
    response.end(JSON.stringify({ updates: shown, next: left.at(-1)?.[0] ?? after }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.after(() => server.close());
  return { name, origin: `http://127.0.0.1:${server.address().port}` };
}

/** What differs between two hubs after these deliveries were acknowledged. */
async function differences(t, one, other, acknowledged = ['a', 'b']) {
  const ledger = new Ledger([await hub(t, 'one', one), await hub(t, 'other', other)]);
  for (const id of acknowledged) ledger.acknowledge(JSON.stringify({ EventId: id }), '{"status":"accepted"}');
  return { found: await ledger.differences(), ledger };
}

const BOTH = [
  [1, 'a'],
  [4, 'b'],
];

test('hubs that show all that was acknowledged at the same positions do not differ', async (t) => {
  const { found, ledger } = await differences(t, BOTH, BOTH);
  assert.deepEqual(found, []);
  assert.deepEqual(ledger.positionsAfter(1), [4]);
  assert.deepEqual(ledger.figures(), { acknowledged: 2, refused: 0, waiting: 0, lost: 0, doubled: 0 });
});

test('a delivery that was acknowledged and is not shown is named with the hub that lacks it', async (t) => {
  const { found } = await differences(t, BOTH, [[1, 'a']]);
  assert.deepEqual(found, [
    'delivery b was acknowledged, and is not shown by other',
    'hubs one and other differ at position 4',
  ]);
});

test('an event that is shown twice is counted', async (t) => {
  const twice = [...BOTH, [5, 'a']];
  const { found } = await differences(t, twice, twice);
  assert.deepEqual(found, ['hub one shows 1 twice', 'hub other shows 1 twice']);
});

test('hubs that show something else at a position differ there', async (t) => {
  const { found } = await differences(t, BOTH, [
    [1, 'a'],
    [4, 'b', 'another text'],
  ]);
  assert.deepEqual(found, ['hubs one and other differ at position 4']);
});

test('a run in which nothing was acknowledged proves nothing', async (t) => {
  const { found } = await differences(t, BOTH, BOTH, []);
  assert.deepEqual(found, ['nothing was acknowledged']);
});
