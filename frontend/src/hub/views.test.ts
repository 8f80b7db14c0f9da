import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { HubSettings } from 'umbler-hub-client';

import { FakeHub } from '../../test/fake-hub.ts';
import { SettingsStore } from './settings.ts';
import { forTeam } from './team-view.ts';
import { viewAddress, withView } from './views.ts';

test('a view keeps the filters of a page, and neither the chat that is open nor a moment of the past', () => {
  assert.equal(viewAddress('/chats/abc', '?wait=late&at=2026-03-02T13:00:00Z'), '/chats?wait=late');
  assert.equal(viewAddress('/live', '?wall='), '/live?wall=');
  assert.equal(viewAddress('/reports', ''), '/reports');
  assert.equal(viewAddress('/settings/rules', ''), null);
  assert.equal(viewAddress('/livestock', ''), null);
});

test('a view of the team holds nobody who was searched for', () => {
  const saved = (address: string) => forTeam({ name: 'a', address }).address;
  assert.equal(saved('/chats?search=Zulmira&in=messages'), '/chats');
  assert.equal(saved('/chats?wait=late&search=Zulmira'), '/chats?wait=late');
  assert.equal(saved('/live?wall'), '/live?wall');
});

test('settings that an older version saved with a search can be saved again', (t) => {
  const store = new SettingsStore(new FakeHub(t).client);
  const views = [{ name: 'a', address: '/chats?search=Zulmira&wait=late' }];
  const settings = { views } as unknown as HubSettings;
  store.take({ settings, updatedAt: null, updatedBy: null, seq: 1, missing: false, failure: null });
  assert.deepEqual(store.get().settings?.views, [{ name: 'a', address: '/chats?wait=late' }]);
});

test('a view that is saved under a name that is there takes its place', () => {
  const views = [
    { name: 'a', address: '/live' },
    { name: 'b', address: '/chats' },
  ];
  assert.deepEqual(withView(views, { name: 'a', address: '/reports' }), [{ name: 'a', address: '/reports' }, views[1]]);
  assert.deepEqual(withView(views, { name: 'c', address: '/live' }).length, 3);
});
