import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chat } from '../../test/fake-hub.ts';
import { byActivity } from '../chats/filters.ts';
import { SortedList } from './sorted-list.ts';

/** Numbers that are the same each time: a linear congruential generator. */
function numbers(seed: number) {
  let last = seed;
  return (below: number) => {
    last = (last * 1_664_525 + 1_013_904_223) % 2 ** 32;
    return Math.floor((last / 2 ** 32) * below);
  };
}

test('chats that come, move and go one by one stand where sorting all of them puts them', () => {
  const next = numbers(7);
  const list = new SortedList(byActivity);
  const known = new Map<string, ReturnType<typeof chat>>();
  const made = (id: string) =>
    // Some are of one moment, and of some it is not known.
    chat(id, { lastActivityAt: next(5) === 0 ? null : new Date(next(40) * 1000).toISOString() });
  for (let count = 0; count < 30; count += 1) known.set(`c${count}`, made(`c${count}`));
  list.reset(known.values());
  for (let step = 0; step < 2000; step += 1) {
    const id = `c${next(60)}`;
    if (next(4) === 0) {
      known.delete(id);
      list.drop(id);
    } else {
      const one = made(id);
      known.set(id, one);
      list.put(one);
    }
    assert.equal(list.get(id), known.get(id));
    assert.deepEqual(
      list.all.map((one) => one.id),
      [...known.values()].sort(byActivity).map((one) => one.id),
    );
  }
});
