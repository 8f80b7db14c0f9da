import assert from 'node:assert/strict';
import { test } from 'node:test';

import { chat } from '../../test/fake-hub.ts';
import { labelsFor } from './labels.ts';

test('a renamed sector is called what the hub calls it, also where a delivery that changed no activity brought the name', () => {
  const called = (id: string, name: string, lastActivityAt: string) =>
    chat(id, { sector: { id: 's', name }, lastActivityAt });
  // Its tags changed later: that brought the new name, and moved nothing.
  const tagged = called('a', 'Atendimento', '2026-11-28T13:00:00Z');
  const chats = [tagged, called('b', 'Geral', '2026-11-28T14:00:00Z')];
  const labels = (name: string | null) => [...labelsFor('sector', chats, [{ id: 's', name }], new Map())];
  assert.deepEqual(labels('Atendimento'), [['s', 'Atendimento']]);
  assert.deepEqual(labels(null), [['s', 'Geral']]);
});

test('two lines of one name are told apart by their ids, and so are the sectors whose chats came by them', () => {
  const of = (id: string) =>
    chat(id, {
      sector: { id: `sector-${id}`, name: 'Geral' },
      channel: { id: `line-${id}`, name: 'WhatsApp', type: null },
    });
  const chats = [of('1'), of('2')];
  assert.deepEqual([...labelsFor('channel', chats, [], new Map()).values()], ['WhatsApp · …ne-1', 'WhatsApp · …ne-2']);
  assert.deepEqual([...labelsFor('sector', chats, [], new Map()).values()], ['Geral · …or-1', 'Geral · …or-2']);
});
