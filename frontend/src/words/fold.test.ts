import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { fold, holds } from './fold.ts';

test('the page folds texts as the hub does', () => {
  const known = JSON.parse(readFileSync(new URL('../../../tests/fixtures/texts/folded.json', import.meta.url), 'utf8'));
  assert.ok(known.length > 5);
  for (const [text, folded] of known) assert.equal(fold(text), folded, text);
});

test('a search without accents finds a name with them, and the other way round', () => {
  for (const [text, search] of [
    ['João da Silva', 'joao'],
    ['Joao', ' JOÃO '],
    ['2ª via', '2a'],
    ['Ana', ''],
  ] as const)
    assert.ok(holds(text, search), search);
  assert.ok(!holds('Ana', 'joao'));
});
