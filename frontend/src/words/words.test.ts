import assert from 'node:assert/strict';
import { test } from 'node:test';

import { fileName } from '../parts/save.ts';
import { EN } from './en.ts';
import { hourName } from './format.ts';
import { isWord, sayNow, spoken } from './language.ts';
import { PT } from './pt.ts';

test('every type of message has a name in both languages', () => {
  const types = [
    'Text',
    'Image',
    'Video',
    'Audio',
    'File',
    'Sticker',
    'Gif',
    'Location',
    'Contact',
    'Contacts',
    'Url',
    'List',
    'ListReply',
    'QuickReply',
    'ButtonReply',
    'Poll',
    'Carousel',
    'Order',
    'Payment',
    'Reaction',
    'Call',
    'CallAttempt',
    'Unsupported',
  ];
  assert.deepEqual(
    types.filter((type) => !(type in EN) || !(type in PT)),
    [],
  );
});

test('a value stands where the words have its name, whatever the value looks like', () => {
  spoken.set({ language: 'en', words: EN });
  assert.equal(sayNow('playedUntil', { until: '{{count}} $&', count: 3 }), 'until {{count}} $&, 3 updates');
  assert.equal(sayNow('live'), 'Live');
  assert.deepEqual(['live', 'constructor', 'Nobody'].map(isWord), [true, false, false]);
});

/** Those that are said in the same way of one and of many. */
const ALIKE = [
  'alertsClosing',
  'alertsLate',
  'alertsNear',
  'andMore',
  'behind',
  'below',
  'columns',
  'countOf',
  'inQueue',
  'moreWait',
  'nameless',
  'natsReplicasOf',
  'onlineCount',
  'reading',
  // From twenty on.
  'tooFew',
  'trafficCount',
  'trafficSoFar',
  'wayPosition',
  'wayQueued',
  'waySessions',
];

test('one is told as one, in both languages', () => {
  for (const words of [EN, PT] as Record<string, string>[]) {
    const counting = Object.keys(words).filter((word) => words[word]?.includes('{{count}}') && !word.endsWith('_one'));
    const without = counting.filter((word) => !(`${word}_one` in words));
    assert.deepEqual(without.sort(), ALIKE);
  }
  spoken.set({ language: 'pt-BR', words: PT });
  const said = ['1', '2', '1.001'].map((count) => sayNow('count', { count }));
  assert.deepEqual(said, ['1 conversa', '2 conversas', '1.001 conversas']);
  assert.equal(sayNow('count', { count: 1 }), '1 conversa');
  assert.equal(sayNow('below', { count: 1 }), '+1 abaixo');
});

test('an hour is told as people of the language tell it', () => {
  const hours = [0, 9, 14, 24];
  spoken.set({ language: 'pt-BR', words: PT });
  assert.deepEqual(hours.map(hourName), ['0h', '9h', '14h', '24h']);
  spoken.set({ language: 'en', words: EN });
  assert.deepEqual(
    hours.map((hour) => hourName(hour).replace(/\s/, ' ')),
    ['12 AM', '9 AM', '2 PM', '12 AM'],
  );
});

test('a file is named in the language of the page, in letters that every system takes', () => {
  assert.equal(fileName(PT.personalData), 'dados-pessoais');
  assert.equal(fileName(EN.by_agents), 'agents');
});
