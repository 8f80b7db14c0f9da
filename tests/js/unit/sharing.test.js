/** One connection for all components of a page: who is signed in on it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import WebSocket from 'ws';

import { shareOf } from '../../../static/client/lib/sharing.js';
import { next, status } from '../support/client.js';
import { FakeHub } from '../support/fake-hub.js';

// As a browser has it; what is shared is made without a word of the test.
globalThis.WebSocket = WebSocket;

/** A component on a fake hub that wants tokens; it is gone with the test. */
async function mounted(t, token) {
  const hub = await FakeHub.start();
  hub.script.authRequired = true;
  hub.script.user = (token) => ({ id: token, name: token, role: 'viewer' });
  const share = shareOf(hub.url);
  share.signIn(token, true);
  const unmount = share.hold({ channels: ['updates'], autoConnect: true });
  t.after(async () => {
    unmount();
    share.client.disconnect();
    await hub.stop();
  });
  await next(share.client, 'data', ({ seq }) => seq === hub.seq);
  return { hub, share, client: share.client };
}

test('a token that is taken away signs out: nothing of the user stays on the page, nor in the connection', async (t) => {
  const { hub, share, client } = await mounted(t, 'ana');
  share.signOut();
  assert.equal(client.status, 'disconnected');
  assert.equal(client.user, null);
  assert.equal(client.view.data.seq, null);
  assert.equal(client.view.data.stats, null);
  await hub.connections[0].closed;
  await assert.rejects(client.connect(), { code: 'unauthorized' }, 'the token is gone too');
});

test('whoever signs in after that is connected at once, and begins anew', async (t) => {
  const { hub, share, client } = await mounted(t, 'ana');
  share.signOut();
  share.signIn('bob', true);
  await next(client, 'data', ({ seq }) => seq === hub.seq);
  assert.equal(client.user?.id, 'bob');
  const [authenticate, subscribe] = hub.connections[1].heard;
  assert.equal(authenticate.data.token, 'bob');
  assert.equal(subscribe.data.since, undefined);
});

test('a page that disconnected by itself is not connected by a new token', async (t) => {
  const { share, client } = await mounted(t, 'ana');
  client.disconnect();
  share.signIn('ana-2', true);
  assert.equal(client.status, 'disconnected');
  await client.connect();
  await status(client, 'connected');
});
