import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Alert } from 'umbler-hub-client';

import { grouped, ordered, roomIn, SINGLE_MAX } from './alertGroups.ts';

const NOW = Date.parse('2026-03-02T14:00:00Z');
const before = (minutes: number) => new Date(NOW - minutes * 60_000).toISOString();

let made = 0;
function alert(minutes: number, more: Partial<Alert> = {}): Alert {
  made += 1;
  return {
    id: `alert-${made}`,
    kind: 'waiting',
    chatId: `chat-${made}`,
    contactName: null,
    sector: { id: 'sales', name: 'Sales' },
    owner: { id: 'bia', name: 'Bia' },
    since: before(minutes),
    dueAt: before(minutes),
    raisedAt: before(minutes),
    clearedAt: null,
    acknowledgedAt: null,
    acknowledgedBy: null,
    ...more,
  };
}
const support = { sector: { id: 'support', name: 'Support' } };
const taken = { acknowledgedAt: before(0), acknowledgedBy: { id: 'rui', name: 'Rui' } };
const shape = (all: Alert[]) => grouped(all)?.map(({ by, who, alerts }) => [by, who?.id ?? null, alerts.length]);

test('alerts that fit into the panel are told one by one', () => {
  assert.equal(grouped(Array.from({ length: SINGLE_MAX }, (_, at) => alert(at))), null);
  assert.notEqual(grouped(Array.from({ length: SINGLE_MAX + 1 }, (_, at) => alert(at))), null);
});

test('a higher panel tells more of them one by one, and none tells fewer than a laptop does', () => {
  assert.deepEqual([0, 390, 490].map(roomIn), [SINGLE_MAX, SINGLE_MAX, 8]);
  const all = Array.from({ length: 8 }, (_, at) => alert(at));
  assert.equal(grouped(all, 8), null);
  assert.notEqual(grouped(all, 7), null);
});

test('more of them stand by sector, the sector whose customer is due the longest first', () => {
  const all = [
    alert(5),
    alert(9),
    alert(60, support),
    alert(2, support),
    alert(3),
    alert(4),
    alert(1, { sector: null }),
  ];
  assert.deepEqual(shape(all), [
    ['sector', 'support', 2],
    ['sector', 'sales', 4],
    ['sector', null, 1],
  ]);
});

test('where all are of one sector they stand by agent, and those whom nobody has together', () => {
  const all = [...[1, 2, 3, 4].map((at) => alert(at)), ...[5, 6, 7].map((at) => alert(at, { owner: null }))];
  assert.deepEqual(shape(all), [
    ['owner', null, 3],
    ['owner', 'bia', 4],
  ]);
});

test('those that somebody is on stand together at the end, whatever they are', () => {
  const all = [alert(90, taken), alert(80, { ...taken, ...support }), ...[1, 2, 3, 4, 5, 6].map((at) => alert(at))];
  assert.deepEqual(shape(all), [
    ['owner', 'bia', 6],
    ['taken', null, 2],
  ]);
});

test('what is urgent and nobody’s comes first, then what is due the longest', () => {
  const near = alert(50, { kind: 'waiting_warn' });
  const late = alert(5);
  const later = alert(9);
  const cared = alert(99, taken);
  assert.deepEqual(ordered([cared, near, late, later]), [later, late, near, cared]);
});
