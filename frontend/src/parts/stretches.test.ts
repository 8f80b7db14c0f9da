import assert from 'node:assert/strict';
import { test } from 'node:test';

import { stretches } from './stretches.ts';

test('a line is broken where nothing was measured, and a lone figure is kept', () => {
  assert.deepEqual(stretches([null, 4, 5, null, 7]), [
    [
      [1, 4],
      [2, 5],
    ],
    [[4, 7]],
  ]);
  assert.deepEqual(stretches([]), []);
  assert.deepEqual(stretches([null, null]), []);
});
