import assert from 'node:assert/strict';
import { test } from 'node:test';

import { dayOf, localOf, midnight, momentOf } from './days.ts';

const SAO_PAULO = 'America/Sao_Paulo';
const NEW_YORK = 'America/New_York';

test('a date and time that is typed is that of the zone, whatever the zone of the computer', () => {
  const at = Date.parse('2026-03-02T15:30:05Z');
  assert.equal(localOf(at, SAO_PAULO), '2026-03-02T12:30:05');
  assert.equal(localOf(at, 'Asia/Kolkata'), '2026-03-02T21:00:05');
  for (const zone of [SAO_PAULO, 'Asia/Kolkata', 'Pacific/Kiritimati', NEW_YORK])
    assert.equal(momentOf(localOf(at, zone), zone), at);
  assert.equal(momentOf('2026-03-02T12:30', SAO_PAULO), Date.parse('2026-03-02T15:30:00Z'));
  assert.ok(Number.isNaN(momentOf('', SAO_PAULO)));
});

test('days turn at midnight there, on the longest and the shortest day of the year as well', () => {
  assert.equal(midnight('2028-02-29', SAO_PAULO), '2028-02-29T03:00:00.000Z');
  assert.equal(dayOf(Date.parse('2027-01-01T02:59:59Z'), SAO_PAULO), '2026-12-31');
  assert.equal(midnight('2026-03-08', NEW_YORK), '2026-03-08T05:00:00.000Z');
  assert.equal(midnight('2026-03-09', NEW_YORK), '2026-03-09T04:00:00.000Z');
  assert.equal(midnight('2026-11-02', NEW_YORK), '2026-11-02T05:00:00.000Z');
  // In this zone the clocks went from 23:59:59 to 01:00.
  assert.equal(midnight('2018-11-04', SAO_PAULO), '2018-11-04T03:00:00.000Z');
});
