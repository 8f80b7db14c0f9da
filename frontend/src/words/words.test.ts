import assert from 'node:assert/strict';
import { test } from 'node:test';

import { EN } from './en.ts';
import { isWord, sayNow, spoken } from './language.ts';
import { PT } from './pt.ts';

test('the chart of the day says which messages it leaves out that the tile counts', () => {
  for (const words of [EN, PT]) {
    for (const hint of [words.trafficHint, words.noUsual]) {
      assert.ok(hint.includes(words.today), hint);
      assert.match(hint, /private notes and reactions|notas internas e reações/);
    }
  }
});

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
