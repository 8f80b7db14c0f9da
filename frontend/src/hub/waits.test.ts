import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isNewlyLate } from './waits.ts';

const LIMITS = { attentionMs: 300_000, lateMs: 900_000 };

test('a wait is new for the minute in which it becomes late, and where nothing is late never', () => {
  assert.deepEqual(
    [899_999, 900_000, 959_999, 960_000].map((wait) => isNewlyLate(wait, LIMITS)),
    [false, true, true, false],
  );
  assert.equal(isNewlyLate(900_000, { attentionMs: 300_000, lateMs: null }), false);
});
