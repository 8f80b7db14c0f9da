import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { Group } from '../hub/waits.ts';
import { onlineOf, withFree } from './online.ts';

const NOW = Date.parse('2026-03-02T14:00:00Z');
const link = (readAt: string) => ({
  online: {
    readAt,
    agents: [
      { id: 'rui', name: 'Rui' },
      { id: 'bia', name: 'Bia' },
      { id: 'ana', name: 'Ana' },
    ],
  },
});
const group = (id: string | null, open: number): Group => ({
  key: id ?? '',
  who: id === null ? null : { id, name: id },
  open,
  waiting: 0,
  oldestMs: null,
  oldestSector: null,
});
const shape = (groups: Group[]) => groups.map(({ key, open }) => [key, open]);

test('whoever is online and has no open chat stands behind the chats that nobody has', () => {
  const groups = [group(null, 4), group('bia', 2), group('gone', 1)];
  const free = withFree(groups, onlineOf(link('2026-03-02T13:59:30Z'), NOW));
  assert.deepEqual(shape(free), [
    ['', 4],
    ['ana', 0],
    ['rui', 0],
    ['bia', 2],
    ['gone', 1],
  ]);
});

test('nobody is said to be free where it is not known who is online, or only who was', () => {
  const groups = [group('bia', 2)];
  for (const known of [null, { online: null }, {}, link('2026-03-02T13:56:59Z')])
    assert.equal(withFree(groups, onlineOf(known, NOW)), groups);
});
