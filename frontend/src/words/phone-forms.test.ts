import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';

import { askedForms, phoneHolds, storedForms } from './phone-forms.ts';

test('phones have the forms on the page that they have on the hub', () => {
  const known = JSON.parse(readFileSync(new URL('../../../tests/fixtures/texts/phones.json', import.meta.url), 'utf8'));
  assert.ok(known.stored.length > 5 && known.asked.length > 5);
  for (const [phone, forms] of known.stored) assert.deepEqual(storedForms(phone), forms, phone);
  for (const [digits, forms] of known.asked) assert.deepEqual(askedForms(digits), forms, digits);
});

test('a phone is found however it is written, and words find none', () => {
  for (const search of ['31 99000-0123', '(31) 9000-0123', '+55 31 99000', '0123'])
    assert.ok(phoneHolds('+5531990000123', search), search);
  for (const search of ['', ' ', 'Sala 3', '32 99000', '+']) assert.ok(!phoneHolds('+5531990000123', search), search);
  assert.ok(!phoneHolds(null, '31'));
});
