import assert from 'node:assert/strict';
import { test } from 'node:test';
import { forTab } from 'umbler-hub-client/storage';

import { FakeHub } from '../../test/fake-hub.ts';
import { DraftStore } from './drafts.ts';

const KEY = 'umbler-hub-drafts';

test('a draft is kept through a reload, and goes from the tab with the person that it was written to', async (t) => {
  const hub = new FakeHub(t);
  t.after(() => forTab.removeItem(KEY));
  await hub.open();
  const drafts = new DraftStore(hub.client);
  drafts.keep('a', 'Cara Zulmira,', 'c');
  drafts.keep('b', 'Bom dia', 'other');
  assert.equal(new DraftStore(hub.client).of('a'), 'Cara Zulmira,');
  hub.update(11, { type: 'contact_erased', erasedContactId: 'c' });
  assert.deepEqual([drafts.of('a'), drafts.of('b')], ['', 'Bom dia']);
  assert.ok(!forTab.getItem(KEY)?.includes('Zulmira'));
  drafts.keep('b', '', 'other');
  assert.equal(forTab.getItem(KEY), null);
});
