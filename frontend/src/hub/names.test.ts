import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chat } from '../../test/fake-hub.ts';
import { newestNames } from './names.ts';

test('a renamed sector is called what the chat that moved last calls it', () => {
  const called = (id: string, name: string | null, lastActivityAt: string) =>
    chat(id, { sector: { id: 's', name }, lastActivityAt });
  const old = called('a', 'Geral', '2026-11-28T13:00:05Z');
  const renamed = called('b', 'Atendimento', '2026-11-28T14:00:00Z');
  const silent = called('c', null, '2026-11-28T15:00:00Z');
  for (const chats of [
    [old, renamed, silent],
    [silent, renamed, old],
    [renamed, silent, old],
  ]) {
    assert.deepEqual([...newestNames(chats, ({ sector }) => [sector])], [['s', { id: 's', name: 'Atendimento' }]]);
  }
});
