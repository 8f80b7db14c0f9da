import assert from 'node:assert/strict';
import { test } from 'node:test';

import { cellIn, cellText } from './behind.ts';
import type { Cell } from './metrics.ts';

test('a number in an address is the same number when it is read', () => {
  const cells: Cell[] = [
    { metric: 'created', query: {} },
    { metric: 'replyTime', query: { atLeastMs: '300000', belowMs: '600000' } },
    { metric: 'messagesIn', query: { weekday: '1', hour: '14' } },
    { metric: 'closed', query: { from: '2026-03-02T13:00:00Z', until: '2026-03-02T14:00:00Z' } },
    { metric: 'closed', query: { tag: 'a;b=c & d' } },
  ];
  for (const cell of cells) assert.deepEqual(cellIn(cellText(cell)), cell);
});

test('an address that names no number opens none, and asks for nothing but parts of numbers', () => {
  assert.deepEqual([null, '', 'nothing;hour=1'].map(cellIn), [null, null, null]);
  assert.deepEqual(cellIn('created;limit=9;hour=%;clock=wall'), { metric: 'created', query: { hour: '%' } });
});
