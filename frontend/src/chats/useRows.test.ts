import assert from 'node:assert/strict';
import { test } from 'node:test';

import '../hub/hub.tsx';
import { countOf } from './useRows.ts';

test('a list of which a part is known says so, and not that this is all', () => {
  assert.deepEqual(
    [null, 2, 5].map((total) => countOf(2, total)),
    ['readSoFar', 'count', 'countOf'],
  );
});
