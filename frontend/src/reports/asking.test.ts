import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeHub, settled } from '../../test/fake-hub.ts';
import { type Held, knownOf, nothingYet, pose, type Question } from './asking.ts';

const WEEK: Question = { path: '/summary', query: { from: 'a', until: 'b' }, choice: 'week' };
const DAY: Question = { path: '/summary', query: { from: 'b', until: 'c' }, choice: 'day' };

/** One part of a page: what it holds, and a way to ask. */
class Part {
  held: Held<string> = nothingYet();

  ask(question: Question, askedAt = 1): () => void {
    this.held = { ...this.held, busy: true };
    return pose<string>(question, askedAt, (next) => {
      this.held = next(this.held);
    });
  }

  of(question: Question) {
    const { answer, previous, busy, failure, isCurrent } = knownOf(this.held, question);
    return { answer, previous, busy, failed: failure !== null, isCurrent };
  }
}

test('an answer stays, and is told apart, until that to the next question is here', async (t) => {
  const hub = new FakeHub(t);
  const part = new Part();
  part.ask(WEEK, 7);
  assert.deepEqual(part.of(WEEK), { answer: null, previous: null, busy: true, failed: false, isCurrent: false });
  await (await hub.asked()).answer('of the week');
  assert.deepEqual(part.of(WEEK), {
    answer: 'of the week',
    previous: null,
    busy: false,
    failed: false,
    isCurrent: true,
  });
  assert.equal(knownOf(part.held, WEEK).askedAt, 7);
  // Drawn with the other choice before that is asked for.
  assert.deepEqual(part.of(DAY), {
    answer: 'of the week',
    previous: null,
    busy: true,
    failed: false,
    isCurrent: false,
  });
  part.ask(DAY);
  await (await hub.asked()).answer('of the day');
  assert.deepEqual(part.of(DAY), { answer: 'of the day', previous: null, busy: false, failed: false, isCurrent: true });
});

test('where a question is refused, no answer of another choice stays, and one of the same choice does', async (t) => {
  const hub = new FakeHub(t);
  const part = new Part();
  part.ask(WEEK);
  await (await hub.asked()).answer('of the week');
  const later = { ...WEEK, query: { from: 'a', until: 'b, and a minute' } };
  part.ask(later, 9);
  await (await hub.asked()).refuse(500, 'internal');
  assert.deepEqual(part.of(later), {
    answer: 'of the week',
    previous: null,
    busy: false,
    failed: true,
    isCurrent: false,
  });
  assert.equal(knownOf(part.held, later).askedAt, 1, 'it is of when it was asked');
  part.ask(DAY);
  await (await hub.asked()).refuse(500, 'internal');
  assert.deepEqual(part.of(DAY), { answer: null, previous: null, busy: false, failed: true, isCurrent: false });
  assert.equal(knownOf(part.held, DAY).askedAt, null);
});

test('an answer about something else is not shown at all, and one to a question that was called off is dropped', async (t) => {
  const hub = new FakeHub(t);
  const part = new Part();
  const waits = { ...WEEK, about: 'waits' };
  const stop = part.ask(waits);
  const late = await hub.asked();
  stop();
  part.ask(waits);
  await (await hub.asked()).answer('waits');
  await late.answer('too late');
  assert.equal(part.of(waits).answer, 'waits');
  assert.deepEqual(part.of(WEEK), { answer: null, previous: null, busy: true, failed: false, isCurrent: false });
});

test('without the stretch before there is an answer that is compared with nothing', async (t) => {
  const hub = new FakeHub(t);
  const part = new Part();
  const compared = { ...WEEK, earlier: { from: '0', until: 'a' } };
  part.ask(compared);
  const [now, before] = [await hub.asked(), await hub.asked()];
  await now.answer('of the week');
  assert.equal(part.of(compared).answer, null, 'both or neither');
  await before.refuse(500, 'internal');
  await settled();
  assert.deepEqual(part.of(compared), {
    answer: 'of the week',
    previous: null,
    busy: false,
    failed: false,
    isCurrent: true,
  });
});
