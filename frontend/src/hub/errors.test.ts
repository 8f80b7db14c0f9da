import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeHub } from '../../test/fake-hub.ts';
import { endOf } from './errors.ts';

for (const [code, word] of [
  [4003, 'tokenExpired'],
  [4500, 'tokenRevoked'],
] as const) {
  test(`whoever has to sign in again after ${code} is told why`, async (t) => {
    const hub = new FakeHub(t);
    hub.authRequired = true;
    await hub.open();
    hub.close(code);
    assert.deepEqual([hub.client.status, endOf(hub.client.error)], ['unauthorized', word]);
  });
}

test('whoever comes without a token is not told that one has ended', async (t) => {
  const hub = new FakeHub(t);
  await hub.open();
  hub.close(1006);
  assert.equal(endOf(hub.client.error), null);
});
