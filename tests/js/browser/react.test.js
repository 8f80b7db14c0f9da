/** The hook in a real browser with real React, on the real hub. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, openPage, servePages, text } from '../support/browser.js';
import { JWT_SECRET, spawnHub, token } from '../support/hub.js';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function open(t, name, settings = {}) {
  const pages = await servePages(t);
  const hub = await spawnHub(t, { FRONTEND_URL: pages.origin, ...settings });
  pages.talkTo(hub);
  const opened = await openPage(t, browser);
  await opened.page.goto(`${pages.origin}/${name}`);
  return { hub, ...opened };
}

const events = (log, event) => log.sent.filter((frame) => frame.event === event);

test('the old component works unchanged: it connects, shows numbers, and an update reaches it without asking again', async (t) => {
  const { hub, page, log } = await open(t, 'strict');
  await text(page, '#status', 'connected');
  await text(page, '#messages', '0');
  await hub.says('a', 'good morning');
  await text(page, '#messages', '1');
  await text(page, '#contacts', '1');
  assert.equal(events(log, 'request_umbler_data').length, 1);
  assert.equal(log.console.filter((line) => line.startsWith('Received update:')).length, 1);
  assert.deepEqual(log.errors, []);
  assert.ok(
    !log.console.some((line) => line.includes('Warning') || line.includes('WebSocket error')),
    log.console.join('\n'),
  );
});

test('under StrictMode one socket is opened, and one subscription made', async (t) => {
  const { page, log } = await open(t, 'strict');
  await text(page, '#status', 'connected');
  await text(page, '#messages', '0');
  assert.equal(log.sockets.length, 1);
  assert.equal(events(log, 'subscribe_updates').length, 1);
});

test('after kill -9 and a start of the hub the component is current again by itself', async (t) => {
  const { hub, page } = await open(t, 'strict');
  await text(page, '#status', 'connected');
  await hub.says('a', 'before');
  await text(page, '#messages', '1');
  await hub.kill();
  await text(page, '#status', 'recovering');
  await text(page, '#messages', '1');
  await hub.start();
  await hub.says('a', 'while it was away');
  await text(page, '#status', 'connected');
  await text(page, '#messages', '2');
  assert.equal(await page.locator('#error').count(), 0);
});

test('several components share one socket; it closes when the last is gone, and opens again with the next', async (t) => {
  const { hub, page, log } = await open(t, 'many');
  await text(page, '#status', 'connected');
  await hub.says('a', 'for both');
  await text(page, '#chats', 'Contact of a: for both');
  await text(page, '#messages', '1');
  assert.equal(log.sockets.length, 1);

  await page.evaluate(() => window.show({ dashboard: false, list: true }));
  await hub.says('a', 'for the one that is left');
  await text(page, '#chats', 'for the one that is left');
  assert.equal(log.sockets.length, 1);

  const closed = log.sockets[0].waitForEvent('close');
  await page.evaluate(() => window.show({ dashboard: false, list: false }));
  await closed;
  await page.evaluate(() => window.show({ dashboard: true, list: false }));
  await text(page, '#status', 'connected');
  await text(page, '#messages', '2');
  assert.equal(log.sockets.length, 2);
});

test('a burst of updates is drawn in few renderings, and identities are stable', async (t) => {
  const { hub, page } = await open(t, 'many');
  await text(page, '#status', 'connected');
  const before = await page.evaluate(() => ({ renderings: window.renderings.list, at: performance.now() }));
  await hub.run('simulate', '--url', hub.origin, '--rate', '0', '--seed', '5', '--count', '1000', '--connections', '4');
  const { totalMessages } = await hub.json('/api/umbler/stats');
  await text(page, '#messages', String(totalMessages));
  const { renderings, at, stable } = await page.evaluate(() => {
    const [first, last] = [window.results[0], window.results.at(-1)];
    return {
      renderings: window.renderings.list,
      at: performance.now(),
      stable: first.requestData === last.requestData && first.client === last.client,
    };
  });
  // At most one each 16 ms, two for each under StrictMode, however long a busy machine takes.
  const most = 2 * (2 + (at - before.at) / 16);
  assert.ok(renderings - before.renderings <= most, `${renderings - before.renderings} renderings, at most ${most}`);
  assert.equal(stable, true);
});

test('after a reload the component is current, and a click asks for nothing that is live', async (t) => {
  const { hub, page, log } = await open(t, 'strict');
  await text(page, '#status', 'connected');
  await hub.says('a', 'one');
  await text(page, '#messages', '1');
  await page.reload();
  await text(page, '#messages', '1');
  const asked = events(log, 'request_umbler_data').length;
  await page.getByRole('button').click();
  await hub.says('a', 'two');
  await text(page, '#messages', '2');
  assert.equal(events(log, 'request_umbler_data').length, asked);
});

test('a token that becomes null signs the user out, and nothing of theirs stays; the next one is connected at once', async (t) => {
  const { hub, page } = await open(t, 'token', { JWT_SECRET });
  await text(page, '#status', 'unauthorized');
  await page.evaluate((given) => window.setToken(given), token({ sub: 'ana', name: 'Ana Exemplo' }));
  await text(page, '#user', 'Ana Exemplo');
  await hub.says('a', 'for Ana');
  await text(page, '#chats', 'Contact of a');
  await page.evaluate(() => window.setToken(null));
  await text(page, '#status', 'disconnected');
  await text(page, '#chats', 'no chats');
  await text(page, '#user', 'nobody');
  await page.evaluate((given) => window.setToken(given), token({ sub: 'bob', name: 'Bob Exemplo', role: 'viewer' }));
  await text(page, '#user', 'Bob Exemplo');
  await text(page, '#chats', 'C•••');
});

test('a page of another origin that the hub does not know says that it cannot connect', async (t) => {
  const { page } = await open(t, 'strict', { FRONTEND_URL: 'http://other.example' });
  await text(page, '#status', 'connecting');
  await text(page, '#error', 'does not answer');
});
