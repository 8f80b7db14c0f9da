import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import hub from 'umbler-hub-client';

import { PERIODS, renewAtMidnight, spanOf } from './period.ts';

const ZONE = 'America/Sao_Paulo';

test('every part of a report, and the chats behind a number, end at the same moment', () => {
  const now = Date.parse('2026-03-02T15:00:00Z');
  const ends = PERIODS.map((period) => spanOf(period, '2026-03-01', '2026-03-02', ZONE, now)?.until);
  const told = new Date(now).toISOString();
  assert.deepEqual(ends, [told, '2026-03-02T03:00:00.000Z', told, told, told]);
});

test('a report that is left open begins the new day at midnight', (t) => {
  const now = Date.parse('2026-03-03T02:59:00Z');
  mock.timers.enable({ apis: ['setTimeout', 'Date'], now });
  t.after(() => mock.timers.reset());
  const days: (string | undefined)[] = [];
  renewAtMidnight(now, ZONE, () => days.push(spanOf('today', '', '', ZONE, Date.now())?.from));
  mock.timers.tick(59_000);
  assert.deepEqual(days, []);
  mock.timers.tick(1_000);
  assert.deepEqual(days, ['2026-03-03T03:00:00.000Z']);
});

test('a report that is left open over a sleep begins the new day as soon as the hub has told the time', (t) => {
  mock.timers.enable({ apis: ['setTimeout'] });
  let time = Date.parse('2026-03-03T02:50:00Z');
  const told = mock.method(hub, 'hubTime', () => time);
  t.after(() => {
    told.mock.restore();
    mock.timers.reset();
  });
  let renewed = 0;
  renewAtMidnight(time, ZONE, () => (renewed += 1));
  mock.timers.tick(1_000);
  assert.equal(renewed, 0);
  // Timers stand still in a sleep.
  time += 8 * 3_600_000;
  mock.timers.tick(1_000);
  mock.timers.tick(5_000);
  assert.equal(renewed, 1);
});
