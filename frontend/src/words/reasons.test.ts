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

test('a reason keeps what only the English words name, and stays as it came where its code is not known', () => {
  const said = 'days: must be at most 1825';
  assert.equal(reasonInWords('bad_parameter', said, 'pt-BR'), `o hub não aceitou um valor (${said})`);
  assert.equal(reasonInWords('bad_parameter', said, 'en'), said);
  const why = 'Umbler does not answer; check the webhooks before you try again';
  assert.equal(reasonInWords('unavailable', why, 'pt-BR'), `o hub não consegue fazer isto agora (${why})`);
  assert.equal(reasonInWords('of_a_newer_hub', said, 'pt-BR'), said);
});
