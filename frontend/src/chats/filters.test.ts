import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chat } from '../../test/fake-hub.ts';
import { byActivity } from './filters.ts';

test('chats of one second stand as the hub lists them: to the nanosecond, and of one moment the later id first', () => {
  const at = (id: string, fraction: string) => chat(id, { lastActivityAt: `2026-03-02T15:00:40${fraction}Z` });
  const chats = [
    at('a', ''),
    at('b', '.5'),
    at('c', '.500000001'),
    at('d', '.5'),
    at('B', '.5'),
    chat('e', { lastActivityAt: null }),
  ];
  assert.deepEqual(
    chats.sort(byActivity).map(({ id }) => id),
    ['c', 'd', 'b', 'B', 'a', 'e'],
  );
});
