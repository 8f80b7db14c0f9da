import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { PT_REASONS, reasonInWords } from './reasons.ts';

test('everything that a hub refuses has its reason in Portuguese', () => {
  const errors = readFileSync(new URL('../../../docs/errors.md', import.meta.url), 'utf8');
  const [, onTheSocket = '', overHttp = ''] =
    /## Errors on the socket(.*?)\n## .*## Errors over HTTP(.*)/s.exec(errors) ?? [];
  const codes = [...`${onTheSocket}${overHttp}`.matchAll(/^\|(?: \d+ \|)? `(\w+)` \|/gm)].map(([, code]) => code ?? '');
  assert.ok(codes.length > 30, `${codes}`);
  assert.deepEqual(
    codes.filter((code) => !(code in PT_REASONS)),
    [],
  );
});

test('a page in Portuguese tells what the hub’s words name, and nothing in English', () => {
  const wrong = 'businessHours.monday has ranges that overlap; holidays[1].date must be a date like 2026-12-25';
  for (const [code, said, parameter, pt] of [
    ['bad_parameter', 'must be a whole number from 1 to 1825', 'days', /: precisa ser um número inteiro de 1 a 1825$/],
    ['bad_parameter', wrong, 'businessHours.monday', /: tem horários que se sobrepõem; .* 2: precisa ser uma data$/],
    ['bad_parameter', 'must be what only a newer hub knows', 'x', /^o hub não aceitou um valor$/],
    [
      'forbidden',
      'only admins may do this',
      null,
      /^seu acesso não permite isto \(só administradores podem fazer isto\)$/,
    ],
    ['unavailable', 'what only a newer hub says', null, /^o hub não consegue fazer isto agora$/],
    ['of_a_newer_hub', 'what only a newer hub says', null, /^o hub não aceitou o pedido$/],
  ] as const)
    assert.match(reasonInWords(code, said, parameter, 'pt-BR'), pt);
});

test('a page in English has the hub’s words, by the names of the fields', () => {
  assert.match(reasonInWords('bad_parameter', 'must be 1 to 9', 'days', 'en'), /: must be 1 to 9$/);
  assert.equal(reasonInWords('of_a_newer_hub', 'said anew', null, 'en'), 'said anew');
});
