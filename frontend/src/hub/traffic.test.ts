import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import type { Message } from 'umbler-hub-client';

import { chat, FakeHub, message, NOW, settled, told } from '../../test/fake-hub.ts';
import { TrafficStore } from './traffic.ts';

const RETRY_MS = 10_000;

async function opened(t: TestContext) {
  const hub = new FakeHub(t);
  await hub.open();
  const store = new TrafficStore(hub.client);
  store.begin();
  return { hub, store };
}

/** Nothing was written yet, neither today nor in the weeks before. */
async function answer(hub: FakeHub) {
  const empty = {
    asOfSeq: 10,
    rebuilding: null,
    from: '2026-03-02T03:00:00Z',
    timezone: 'America/Sao_Paulo',
    rows: [],
  };
  await hub.answerAll(empty);
}

const arrives = (hub: FakeHub, seq: number, more: Partial<Message> = {}) =>
  hub.update(seq, {
    type: 'new_message',
    chat: chat('a'),
    message: message(`m${seq}`, { at: new Date(NOW + seq).toISOString(), ...more }),
  });

const customers = ({ get }: TrafficStore) => get().day?.hours.reduce((total, hour) => total + hour.customers, 0);

test('a failed reading is forgotten once the next one succeeds, whatever arrives meanwhile', async (t) => {
  const { hub, store } = await opened(t);
  await (await hub.asked()).refuse(503, 'unavailable');
  told();
  assert.notEqual(store.get().failure, null);
  mock.timers.tick(RETRY_MS);
  await settled();
  const questions = answer(hub);
  // Between this message and the answer a store takes its time to tell.
  arrives(hub, 11);
  await questions;
  told();
  assert.equal(store.get().failure, null);
});

test('a reaction is no message of the day, as in the reports', async (t) => {
  const { hub, store } = await opened(t);
  await answer(hub);
  arrives(hub, 11, { type: 'Reaction' });
  arrives(hub, 12);
  told();
  assert.equal(customers(store), 1);
});

test('a first response is told by the hour, beside the median of the days before that had one', async (t) => {
  const { hub, store } = await opened(t);
  const before = [60_000, null, 240_000, 90_000];
  await settled();
  for (await settled(); hub.questions.length > 0; await settled()) {
    const { path, query, answer } = await hub.asked();
    // 12:00 in São Paulo: what came later on those days is no part of them yet.
    if (path.endsWith('/summary')) assert.match(query.until ?? '', /T15:00:00/);
    const row = (medianMs: number | null) => ({ metric: 'firstResponse', n: medianMs === null ? 0 : 1, medianMs });
    const rows = path.endsWith('/summary')
      ? [row(before.shift() ?? null)]
      : query.metric?.includes('firstResponse')
        ? [{ start: '2026-03-02T11:00:00Z', ...row(480_000) }]
        : [];
    await answer({ asOfSeq: 10, rebuilding: null, from: '2026-03-02T03:00:00Z', timezone: 'America/Sao_Paulo', rows });
  }
  told();
  const { day } = store.get();
  assert.deepEqual(
    day?.hours.filter(({ firstMs }) => firstMs !== null).map(({ hour, firstMs }) => [hour, firstMs]),
    [[8, 480_000]],
  );
  assert.equal(day?.usualFirstMs, 90_000);
});
