import assert from 'node:assert/strict';
import { test } from 'node:test';

import { changeOfCount, changeOfMedian, earlierOf, weeksBefore } from './compare.ts';
import { spanOf } from './period.ts';

const ZONE = 'America/Sao_Paulo';
const span = (from: string, until: string) => ({ from, until });

test('today until now is compared with the same weekday until the same time', () => {
  // A Wednesday, 10:42 there.
  const today = spanOf('today', '', '', ZONE, Date.parse('2026-03-04T13:42:10Z'));
  assert.ok(today);
  assert.deepEqual(earlierOf(today, ZONE), span('2026-02-25T03:00:00.000Z', '2026-02-25T13:42:10.000Z'));
});

test('thirty days are compared with the same weekdays five weeks before, and the two do not overlap', () => {
  const month = spanOf('month', '', '', ZONE, Date.parse('2026-03-04T13:42:10Z'));
  assert.ok(month);
  const before = earlierOf(month, ZONE);
  assert.equal(weeksBefore(month), 5);
  assert.ok(before.until <= month.from);
});

test('a day on which the clocks change is compared from midnight to midnight', () => {
  // The clocks of New York went on by an hour on the 8th of March.
  const yesterday = spanOf('yesterday', '', '', 'America/New_York', Date.parse('2026-03-10T15:00:00Z'));
  assert.ok(yesterday);
  assert.deepEqual(
    earlierOf(yesterday, 'America/New_York'),
    span('2026-03-02T05:00:00.000Z', '2026-03-03T05:00:00.000Z'),
  );
});

test('a change is told from twenty values on, and nothing of what was not there', () => {
  assert.equal(changeOfCount(50, 0).kind, 'nothing');
  assert.equal(changeOfCount(3, 2).kind, 'few');
  assert.equal(changeOfMedian({ medianMs: 60_000, n: 19 }, { medianMs: 90_000, n: 100 }).kind, 'few');
  assert.equal(changeOfMedian({ medianMs: 60_000, n: 20 }, { medianMs: 90_000, n: 19 }).kind, 'few');
  assert.deepEqual(changeOfCount(5, 100), { kind: 'moved', isMore: false, share: 0.95 });
  assert.deepEqual(changeOfCount(30, 20), { kind: 'moved', isMore: true, share: 0.5 });
});

test('a change that would be written as 0 % is none', () => {
  assert.equal(changeOfCount(1000, 1003).kind, 'same');
  assert.equal(changeOfMedian({ medianMs: 300_000, n: 40 }, { medianMs: 300_900, n: 40 }).kind, 'same');
});
