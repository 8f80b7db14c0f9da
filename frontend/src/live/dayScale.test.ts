import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Hour } from '../hub/day-traffic.ts';
import { hoursShown, marksOf, soFarOf } from './dayScale.ts';

const HOUR_MS = 3_600_000;

/** A day whose named hours had a message; `usual` tells which hours usually have one, or that nothing is usual. */
function dayOf(busy: number[], usual: number[] | null): Hour[] {
  return Array.from({ length: 24 }, (_, hour) => ({
    from: hour * HOUR_MS,
    until: (hour + 1) * HOUR_MS,
    hour,
    customers: busy.includes(hour) ? 1 : 0,
    team: 0,
    others: 0,
    usual: usual === null ? null : usual.includes(hour) ? 2 : 0,
    firstMs: null,
  }));
}

/** From which hour to which, when it is so many hours after midnight. */
const shown = (day: Hour[], at: number) => {
  const hours = hoursShown(day, at * HOUR_MS);
  return [hours[0]?.hour, hours.at(-1)?.hour];
};

test('the chart draws the hours in which the team usually works, and those of today', () => {
  assert.deepEqual(shown(dayOf([], [8, 9, 17]), 14.5), [6, 17]);
  assert.deepEqual(shown(dayOf([], [8, 9, 18]), 14.5), [6, 20]);
  assert.deepEqual(shown(dayOf([5], [8, 17]), 14.5), [3, 17], 'a message came earlier than usual');
  assert.deepEqual(shown(dayOf([], [8, 17]), 22.5), [6, 23], 'it is later than usual');
});

test('the chart draws half a day at least, and never beyond midnight', () => {
  assert.deepEqual(shown(dayOf([9], [9, 10]), 10.5), [9, 20]);
  assert.deepEqual(shown(dayOf([22], [22, 23]), 22.5), [12, 23]);
});

test('without a usual day the chart draws all of it', () => {
  assert.deepEqual(shown(dayOf([9], null), 9.5), [0, 23]);
});

test('the numbers beside the chart are round, and two to four of them', () => {
  assert.deepEqual(marksOf(1), [1]);
  assert.deepEqual(marksOf(3), [1, 2, 3]);
  assert.deepEqual(marksOf(62), [20, 40, 60]);
  assert.deepEqual(marksOf(100), [50, 100]);
  assert.deepEqual(marksOf(7900), [2000, 4000, 6000]);
  for (let most = 2; most < 5000; most += 1) assert.ok([2, 3, 4].includes(marksOf(most).length), String(most));
});

test('today is told beside as much of the usual day as is over', () => {
  const HALF_PAST_NINE = 9.5 * HOUR_MS;
  assert.deepEqual(soFarOf(dayOf([8, 9], [8, 9, 17]), HALF_PAST_NINE), { count: 2, usual: 3 });
  assert.deepEqual(soFarOf(dayOf([8], null), HALF_PAST_NINE), { count: 1, usual: null });
});
