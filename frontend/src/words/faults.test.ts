import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { FAULTS, faultInWords } from './faults.ts';

const source = (path: string) => {
  const text = readFileSync(new URL(`../../../src/${path}`, import.meta.url), 'utf8');
  return text.split('#[cfg(test)]')[0] ?? '';
};
/** Texts between quotation marks, with a 7 for whatever differs. */
function textsOf(code: string): string[] {
  const uncommented = code.replace(/^\s*\/\/.*$/gm, '');
  return [...uncommented.matchAll(/"((?:[^"\\\n]|\\.)*)"/g)].map(([, text = '']) =>
    text.replaceAll('\\"', '"').replace(/\{[^{}]*\}/g, '7'),
  );
}
const unknown = (texts: string[]) => texts.filter((text) => faultInWords(text, 'pt-BR') === null);

test('whatever the hub says of a wrong field of the settings, the directory or the names has its words in Portuguese', () => {
  const files = [
    'settings_fields',
    'member_fields',
    'member_csv',
    'members',
    'names',
    'setup',
    'link',
    'personal_data',
  ];
  const texts = [...files.map((name) => `http/api/${name}.rs`), 'http/values.rs', 'http/fields.rs']
    .flatMap((path) => textsOf(source(path)))
    .map((text) => text.replace(/^line 7: /, ''))
    // What a page never sends, for it writes the JSON itself.
    .filter((text) => /^(must|has|is|the column|the id|there are) /.test(text) && !text.startsWith('the body'));
  assert.ok(texts.length > 40, `${texts.length}`);
  assert.deepEqual(unknown(texts), []);
});

test('why the hub may not, cannot or does not find something has its words in Portuguese', () => {
  const files = ['http/api/names.rs', 'http/api/files.rs', 'http/api/send.rs', 'http/api/setup.rs', 'http/api/link.rs'];
  const more = ['http/api/alerts.rs', 'http/api/personal_data.rs', 'http/api/members.rs', 'http/api/chats.rs'];
  const refusals = [...files, ...more, 'http/caller.rs', 'http/origin.rs', 'http/error.rs']
    .map(source)
    .flatMap((code) =>
      [...code.matchAll(/(?:Forbidden|NotFound|SendingOff)\(\s*"[^"]+"|message(?:: | = )"[^"]+"/g)].flatMap(([one]) =>
        textsOf(one),
      ),
    );
  assert.ok(refusals.length > 15, `${refusals.length}`);
  assert.deepEqual(unknown(refusals), []);
});

test('how the link to Umbler is, and why a delivery was not understood, has its words in Portuguese', () => {
  const client = source('link/client.rs');
  const [errors] =
    /pub enum LinkError \{.*?\n\}/s.exec(source('link/fault.rs')) ?? assert.fail('LinkError is elsewhere');
  const why = [...client.matchAll(/=> "[^"]+"|let reason = format!\("[^"]+"/g)].flatMap(([one]) => textsOf(one));
  const sweeps = ['sweep/mod', 'sweep/chats', 'backfill/mod', 'work', 'outbox/work']
    .map((name) => source(`link/${name}.rs`))
    .flatMap((code) =>
      [...code.matchAll(/misled\(Route::\w+, "[^"]+"|(?:reason|problem) =\s+(?:Some\(|format!\()?"[^"]+"/g)].flatMap(
        ([one]) => textsOf(one),
      ),
    );
  const reader = textsOf(source('umbler/mod.rs')).filter((text) => / (missing|not known|more than) ?/.test(text));
  const texts = [...textsOf(errors), ...why, ...sweeps, ...reader];
  assert.ok(texts.length > 25, `${texts}`);
  assert.deepEqual(unknown(texts), []);
});

test('a text keeps its numbers and names, and a text within it is in the same language', () => {
  for (const [said, pt] of [
    ['must have at most 200 characters', 'pode ter no máximo 200 caracteres'],
    ['must be whole seconds from 0 to 86400, or null', 'precisa ser de 0 a 1440 minutos'],
    [
      'Umbler sent no usable answer to chats: no answer in time',
      'a Umbler não deu uma resposta utilizável a chats: nenhuma resposta a tempo',
    ],
    ['something that a newer hub says', null],
  ] as const)
    assert.equal(faultInWords(said, 'pt-BR'), pt);
  assert.equal(faultInWords('must be whole seconds from 0 to 86400, or null', 'en'), 'must be 0 to 1440 minutes');
  assert.equal(faultInWords('something that a newer hub says', 'en'), 'something that a newer hub says');
});

test('each text stands for as many values in both languages as the hub gives', () => {
  const count = (text: string) => text.split('{}').length;
  for (const { said, pt, en } of FAULTS) {
    assert.ok(count(pt) <= count(said), said);
    assert.ok(count(en ?? '') <= count(said), said);
  }
});
