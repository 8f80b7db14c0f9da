import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { csvOf, guarded } from './csv.ts';

test('no cell of a table is a formula, by the rule that the hub goes by', () => {
  const known = JSON.parse(
    readFileSync(new URL('../../../tests/fixtures/texts/guarded.json', import.meta.url), 'utf8'),
  );
  assert.ok(known.length > 5);
  for (const [text, cell] of known) assert.equal(guarded(text), cell, text);
});

test('a table has its columns apart and its accents whole', async () => {
  const bytes = Buffer.from(
    await csvOf(
      [
        ['id', 'name'],
        ['a;1', 'José "Zé"'],
        ['-x', ''],
      ],
      'semicolon',
    ).arrayBuffer(),
  );
  assert.equal(bytes.toString(), '\ufeffid;name\r\n"a;1";"José ""Zé"""\r\n\'-x;\r\n');
});
