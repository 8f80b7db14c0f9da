import assert from 'node:assert/strict';
import { test } from 'node:test';

import { isFailure } from './states.ts';

test('a message that did not get through is marked, whatever its channel calls that', () => {
  const states = [
    'Failed',
    'FailedToSend',
    'Undelivered',
    'Rejected',
    'DeliveryError',
    'Expired',
    null,
    'Processing',
    'Sent',
    'Delivered',
    'Read',
  ];
  assert.deepEqual(states.filter(isFailure), [
    'Failed',
    'FailedToSend',
    'Undelivered',
    'Rejected',
    'DeliveryError',
    'Expired',
  ]);
});
