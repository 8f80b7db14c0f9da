import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EN } from '../words/en.ts';
import { sayNow, spoken } from '../words/language.ts';
import { PT } from '../words/pt.ts';
import { beforeIn, beforeKey } from './before.ts';

const ZONE = 'America/Sao_Paulo';
const [WEDNESDAY, SATURDAY] = [
  { from: '2026-03-04T03:00:00Z', until: '2026-03-04T17:32:10Z' },
  { from: '2026-03-07T03:00:00Z', until: '2026-03-08T03:00:00Z' },
];
const WEEK = { from: '2026-02-26T03:00:00Z', until: '2026-03-04T17:32:10Z' };
const MONTH = { from: '2026-02-03T03:00:00Z', until: '2026-03-04T17:32:10Z' };

test('the switch and the legend name the same days that the sentence compares with', () => {
  const said = (as: 'story' | 'compare') =>
    [WEDNESDAY, SATURDAY, WEEK, MONTH].map((span) => beforeIn(sayNow, as, span, ZONE));
  spoken.set({ language: 'pt-BR', words: PT });
  assert.deepEqual(said('story'), [
    'na quarta-feira anterior',
    'no sábado anterior',
    'uma semana antes',
    '5 semanas antes',
  ]);
  assert.deepEqual(said('compare'), [
    'Comparar com a quarta-feira anterior',
    'Comparar com o sábado anterior',
    'Comparar com os mesmos dias da semana anterior',
    'Comparar com os mesmos dias de 5 semanas antes',
  ]);
  spoken.set({ language: 'en', words: EN });
  assert.deepEqual(said('compare'), [
    'Compare with the Wednesday before',
    'Compare with the Saturday before',
    'Compare with the same days a week before',
    'Compare with the same days 5 weeks before',
  ]);
  assert.deepEqual(
    [WEDNESDAY, WEEK, MONTH].map((span) => beforeKey(sayNow, span)),
    ['a week before', 'a week before', '5 weeks before'],
  );
});
