import assert from 'node:assert/strict';
import { test } from 'node:test';

import { labelsOf } from './apart.ts';

const GENERAL = { id: 'aZ93kQ7f', name: 'Geral' };
const OTHER = { id: 'bX11mQ7f', name: 'Geral' };
const SALES = { id: 'cc', name: 'Vendas' };

test('a sector whose name is its own is called by the name alone', () => {
  assert.deepEqual([...labelsOf([GENERAL, SALES]).values()], ['Geral', 'Vendas']);
});

test('two sectors of one name carry their line, where each has one of its own', () => {
  const lines = new Map([
    [GENERAL.id, 'WhatsApp Matriz'],
    [OTHER.id, 'WhatsApp Filial'],
  ]);
  const labels = labelsOf([GENERAL, OTHER, SALES], (id) => lines.get(id) ?? null);
  assert.deepEqual([...labels.values()], ['Geral · WhatsApp Matriz', 'Geral · WhatsApp Filial', 'Vendas']);
});

test('two sectors of one name on one line carry as much of their ids as tells them apart', () => {
  const labels = labelsOf([GENERAL, OTHER], () => 'WhatsApp Matriz');
  assert.deepEqual([...labels.values()], ['Geral · …kQ7f', 'Geral · …mQ7f']);
  const short = labelsOf([
    { id: 'a', name: 'Geral' },
    { id: 'b', name: 'Geral' },
  ]);
  assert.deepEqual([...short.values()], ['Geral · a', 'Geral · b']);
});
