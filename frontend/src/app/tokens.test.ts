import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';

const SOURCE = join(import.meta.dirname, '..');
const COLOUR = /#[0-9a-f]{3,8}\b|rgba?\(|hsla?\(|light-dark\(/i;
const SIZE = /font-size:\s*[\d.]+(px|rem|em)/;

test('sizes of type and colours are named in one file, and nowhere else', () => {
  const found = readdirSync(SOURCE, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.css') && !file.endsWith('tokens.css'))
    .flatMap((file) =>
      readFileSync(join(SOURCE, file), 'utf8')
        .split('\n')
        .map((line, at) => ({ line, place: `${file}:${at + 1}` })),
    )
    .filter(({ line }) => COLOUR.test(line) || SIZE.test(line));
  assert.deepEqual(found, []);
});
