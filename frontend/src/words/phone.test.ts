import assert from 'node:assert/strict';
import { test } from 'node:test';

import { phoneNumber } from './phone.ts';

test('a Brazilian phone is shown as it is written there, and any other as it came', () => {
  assert.equal(phoneNumber('+5511909737315'), '+55 11 90973-7315');
  assert.equal(phoneNumber('+551133334444'), '+55 11 3333-4444');
  for (const other of ['+351912345678', '+55119097373150', '•••• 7315', '12']) assert.equal(phoneNumber(other), other);
});
