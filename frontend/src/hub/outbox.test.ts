import assert from 'node:assert/strict';
import { mock, test, type TestContext } from 'node:test';
import hub, { type OutboxEntry, type Writing } from 'umbler-hub-client';

import { FakeHub, NOW, settled } from '../../test/fake-hub.ts';
import { Outbox } from './outbox.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
/** The 24 hours of the chat are over after an hour. */
const until = new Date(NOW + HOUR_MS).toISOString();
const answer = (refused: Writing['refused']) => ({ outbox: [], writing: { refused, windowUntil: until } });

function entry(id: string, more: Partial<OutboxEntry>): OutboxEntry {
  const at = new Date(NOW).toISOString();
  return {
    id,
    tempId: id,
    chatId: 'a',
    state: 'queued',
    text: null,
    private: false,
    prefix: null,
    sentBy: { id: '', name: null },
    queuedAt: at,
    attempts: 0,
    attemptedAt: null,
    changedAt: at,
    messageId: null,
    reason: null,
    detail: null,
    ...more,
  };
}

/** A chat's outbox on a computer whose clock is so many minutes off, while the hub's stands at `NOW`. */
function outboxOn(t: TestContext, minutes: number) {
  const fake = new FakeHub(t);
  mock.timers.setTime(NOW + minutes * MINUTE_MS);
  const told = mock.method(hub, 'hubTime', () => Date.now() - minutes * MINUTE_MS);
  t.after(() => told.mock.restore());
  return { fake, outbox: new Outbox(fake.client, 'a') };
}

for (const [minutes, name] of [
  [20, 'ahead'],
  [-20, 'behind'],
] as const) {
  test(`the 24 hours are over when the hub says so on a computer whose clock is 20 minutes ${name}`, async (t) => {
    const { fake, outbox } = outboxOn(t, minutes);
    t.after(() => outbox.close());
    await fake.open();
    outbox.open();
    await (await fake.asked()).answer(answer(null));
    assert.equal(outbox.get().writing?.refused, null);
    mock.timers.tick(HOUR_MS - 1000);
    await settled();
    assert.equal(fake.questions.length, 0, 'not before they are over');
    mock.timers.tick(3000);
    await (await fake.asked()).answer(answer('window_closed'));
    assert.equal(outbox.get().writing?.refused, 'window_closed');
    mock.timers.tick(HOUR_MS);
    await settled();
    assert.equal(fake.questions.length, 0, 'and once');
  });

  test(`a text stands after those that were queued before it on a computer whose clock is 20 minutes ${name}`, async (t) => {
    const { outbox } = outboxOn(t, minutes);
    void outbox.send('hello', false);
    assert.equal(outbox.get().entries[0]?.queuedAt, new Date(NOW).toISOString());
  });
}

test('texts on their way to a person who is erased leave the screen, whatever the hub answers', async (t) => {
  const { fake, outbox } = outboxOn(t, 0);
  t.after(() => outbox.close());
  outbox.contactId = 'c';
  await fake.open();
  outbox.open();
  await (await fake.asked()).answer({ ...answer(null), outbox: [entry('one', { state: 'failed', text: 'segredo' })] });
  const shown = () => outbox.get().entries.map(({ text }) => text);
  fake.update(11, { type: 'contact_erased', erasedContactId: 'other' });
  assert.deepEqual(shown(), ['segredo']);
  fake.update(12, { type: 'contact_erased', erasedContactId: 'c' });
  assert.deepEqual(shown(), []);
  await (await fake.asked()).answer({ ...answer(null), outbox: [entry('one', { state: 'failed' })] });
  assert.deepEqual(shown(), [null]);
});

test('where it could not be read whether one may write, that is said, and asked again until it is known', async (t) => {
  const { fake, outbox } = outboxOn(t, 0);
  t.after(() => outbox.close());
  await fake.open();
  outbox.open();
  await (await fake.asked()).refuse(503, 'unavailable');
  assert.equal(outbox.get().writing, null);
  assert.notEqual(outbox.get().failure, null);
  mock.timers.tick(5000);
  await (await fake.asked()).refuse(503, 'unavailable');
  mock.timers.tick(5000);
  await (await fake.asked()).answer(answer(null));
  assert.deepEqual([outbox.get().writing?.refused, outbox.get().failure], [null, null]);
  mock.timers.tick(5000);
  await settled();
  assert.equal(fake.questions.length, 0, 'and then no more');
});

test('texts of one second stand in the order in which they were queued, however many digits it has', async (t) => {
  const { fake, outbox } = outboxOn(t, 0);
  t.after(() => outbox.close());
  await fake.open();
  outbox.open();
  const queued = (id: string, fraction: string) => entry(id, { queuedAt: `2026-03-02T15:00:40${fraction}Z` });
  const outboxes = [queued('c', '.25'), queued('b', '.2'), queued('a', '')];
  await (await fake.asked()).answer({ ...answer(null), outbox: outboxes });
  assert.deepEqual(
    outbox.get().entries.map(({ id }) => id),
    ['a', 'b', 'c'],
  );
});
