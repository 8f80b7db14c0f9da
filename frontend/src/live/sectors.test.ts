import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chat } from '../../test/fake-hub.ts';
import { labelsOfSectors } from './sectors.ts';

test('a renamed sector is called what the hub calls it, also where a delivery that changed no activity brought the name', () => {
  const called = (id: string, name: string, lastActivityAt: string) =>
    chat(id, { sector: { id: 's', name }, lastActivityAt });
  // Its tags changed later: that brought the new name, and moved nothing.
  const tagged = called('a', 'Atendimento', '2026-11-28T13:00:00Z');
  const chats = [tagged, called('b', 'Geral', '2026-11-28T14:00:00Z')];
  const groups = [{ who: { id: 's', name: 'Atendimento' } }];
  assert.deepEqual([...labelsOfSectors(chats, groups, new Map())], [['s', 'Atendimento']]);
  assert.deepEqual([...labelsOfSectors(chats, [{ who: { id: 's', name: null } }], new Map())], [['s', 'Geral']]);
});
