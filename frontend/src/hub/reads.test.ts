import assert from 'node:assert/strict';
import { mock, test } from 'node:test';

import { FakeHub, settled } from '../../test/fake-hub.ts';
import { read } from './reads.ts';

test('a page that was just opened asks its first questions at once, and only those beyond its budget one by one', async (t) => {
  const hub = new FakeHub(t);
  for (let asked = 0; asked < 23; asked += 1) void read('/api/umbler/chats');
  await settled();
  assert.equal(hub.questions.length, 20);
  mock.timers.tick(40);
  await settled();
  assert.equal(hub.questions.length, 21);
  mock.timers.tick(80);
  await settled();
  assert.equal(hub.questions.length, 23);
});

test('a page that asked for nothing for a while has its whole budget again, and no more', async (t) => {
  const hub = new FakeHub(t);
  for (let asked = 0; asked < 21; asked += 1) void read('/api/umbler/chats');
  await settled();
  assert.equal(hub.questions.length, 20);
});
