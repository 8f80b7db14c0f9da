import assert from 'node:assert/strict';
import { test } from 'node:test';

import type { UmblerHubClient } from 'umbler-hub-client';

import { HubStateStore } from './hub-state.ts';

type Listener = (data: object, envelope: { event: string }) => void;

/** What the store hears of a client. */
function spoken() {
  const listeners = new Map<string, Listener[]>();
  const client = {
    on: (event: string, listener: Listener) => listeners.set(event, [...(listeners.get(event) ?? []), listener]),
  } as unknown as UmblerHubClient;
  const say = (event: string, data: object) =>
    [event, '*'].flatMap((name) => listeners.get(name) ?? []).forEach((listener) => void listener(data, { event }));
  return { store: new HubStateStore(client), say };
}

test('a hub that falls behind its cluster is known as such until it has caught up', () => {
  const { store, say } = spoken();
  say('hub_status', { status: 'behind', since: '2026-03-02T13:00:00Z' });
  assert.deepEqual(store.get(), { status: 'behind', reason: null, since: '2026-03-02T13:00:00Z' });
  say('hub_status', { status: 'ok', since: '2026-03-02T13:01:00Z' });
  assert.equal(store.get().status, 'ok');
});

test('after coming back to another hub, what the one before said counts no longer', () => {
  const { store, say } = spoken();
  say('hub_status', { status: 'behind', since: '2026-03-02T13:00:00Z' });
  say('connection_established', {});
  assert.equal(store.get().status, 'ok');
});
