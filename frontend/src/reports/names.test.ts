import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeHub } from '../../test/fake-hub.ts';
import '../hub/hub.tsx';
import type { Row } from './metrics.ts';
import { NameStore } from './names.ts';

test('names that a report taught one user are not in the lists of the next one', async (t) => {
  const hub = new FakeHub(t);
  hub.authRequired = true;
  await hub.open();
  const names = new NameStore(hub.client);
  names.learn('agents', [{ id: 'agent', name: 'Ana' } as Row]);
  assert.equal(names.get().get('agent')?.get('agent'), 'Ana');
  hub.close(4003);
  assert.equal(names.get().size, 0);
});
