import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { GivenName } from 'umbler-hub-client';

import { calledOf, keyOf } from './given-names.ts';

test('an admin’s name wins, and Umbler’s list fills in what a chat does not name', () => {
  const entry = (id: string, name: string | null, origin: GivenName['origin']): [string, GivenName] => [
    keyOf('sector', id),
    { what: 'sector', id, name, origin },
  ];
  const given = new Map([entry('a', 'Comercial', 'admin'), entry('b', 'Suporte', 'provider'), entry('c', null, null)]);
  const called = (id: string, name: string | null) => calledOf(given, 'sector', { id, name });
  assert.equal(called('a', 'Vendas'), 'Comercial');
  assert.equal(called('b', null), 'Suporte');
  assert.equal(called('b', 'Ajuda'), 'Ajuda', 'a chat tells a new name before the list does');
  assert.equal(called('c', null), null);
  assert.equal(called('d', 'Financeiro'), 'Financeiro');
  assert.equal(calledOf(given, 'tag', { id: 'a', name: null }), null, 'a tag is no sector');
});
