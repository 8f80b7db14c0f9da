import assert from 'node:assert/strict';
import { test } from 'node:test';

import { emsOf } from './figure.ts';

test('a longer figure is drawn smaller, and a colon takes less than a digit', () => {
  assert.ok(emsOf('1:20:39') < emsOf('12:20:39'));
  assert.ok(emsOf('12:39') < emsOf('12839'));
  assert.ok(emsOf('') > 0);
});
