import assert from 'node:assert/strict';
import { test } from 'node:test';

import { heldOf } from './useHeld.ts';

const list = (ids: string, word = '') => [...ids].map((id) => ({ id, word }));
const held = (before: string, after: string) => {
  const { shown, gone, added } = heldOf(list(before), list(after, 'new'), ({ id }) => id);
  return [shown?.map(({ id, word }) => (gone.has(id) ? '-' : word === 'new' ? id : id.toUpperCase())).join(''), added];
};

test('rows that are held keep their places, whatever moves, comes or goes', () => {
  assert.deepEqual(held('abc', 'cab'), ['abc', 0], 'moved');
  assert.deepEqual(held('abc', 'xabc'), ['abc', 1], 'came above');
  assert.deepEqual(held('abc', 'axbyc'), ['abc', 2], 'came in between');
  assert.deepEqual(held('abc', 'bc'), ['-bc', 0], 'gone');
  assert.deepEqual(held('abc', 'abcde'), ['abcde', 0], 'came below');
  assert.deepEqual(held('abc', 'xcbaz'), ['abcz', 1], 'all of it');
  assert.deepEqual(held('abc', 'xy'), ['---xy', 0], 'nothing is left');
  assert.deepEqual(held('', 'xy'), ['xy', 0]);
});

test('a list that nobody holds is drawn as it is', () => {
  const items = list('cab');
  assert.equal(heldOf(null, items, ({ id }) => id).shown, items);
  assert.equal(heldOf(list('a'), null, ({ id }) => id).shown, null);
});
