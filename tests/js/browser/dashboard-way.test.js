/** What goes wrong on the way of a delivery has the colour of it, on the status page and on the wall. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, healthAs, live, NO_WORKER, spawnDashboard, text, visit } from '../support/dashboard.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/** The link as it would be where webhooks stay away. */
const silenceAs = (page, silence) =>
  page.route('**/api/umbler/link', async (route) => {
    const response = await route.fetch();
    await route.fulfill({ json: { ...(await response.json()), silence } });
  });

test('deliveries that stay away are no good news: the way says what the comparison with Umbler found', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page, clean } = await visit(t, browser, hub, '/nowhere', NO_WORKER);
  const provider = (tone) => page.locator(`.stage[data-tone=${tone}]`, { hasText: 'Umbler Talk' });
  for (const [finding, lost, tone, said] of [
    ['heard', 0, 'good', 'last one'],
    ['deliveries_lost', 1, 'bad', '1 message came by no webhook'],
    ['silent_unverified', 0, 'warn', 'none come, and Umbler cannot be asked'],
  ]) {
    await silenceAs(page, { finding, lost });
    await page.goto(`${hub.origin}/status`);
    await provider(tone).filter({ hasText: said }).waitFor();
    assert.deepEqual(await axe(page), []);
    await page.unroute('**/api/umbler/link');
  }
  clean();
});

test('a hub that is behind its cluster is not well on the status page, and the wall frames what may be old', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/nowhere', NO_WORKER);
  await healthAs(page, (answer) => ({ ...answer, status: 'behind' }));
  await page.goto(`${hub.origin}/status`);
  await page.locator('.stage[data-tone=warn]', { hasText: 'Behind the other hubs' }).waitFor();
  await text(page, '.facts [data-bad]', 'Behind the other hubs');
  let tell;
  await page.routeWebSocket(/\/ws/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((words) => socket.send(words));
    tell = (status) =>
      socket.send(JSON.stringify({ event: 'hub_status', data: { status, since: '2026-03-02T13:00:00Z' } }));
  });
  await page.goto(`${hub.origin}/live?wall`);
  await live(page);
  await page.locator('.wall:not([data-stale])').waitFor();
  tell('behind');
  await page.locator('.wall[data-stale]').waitFor();
  tell('ok');
  await page.locator('.wall:not([data-stale])').waitFor();
  clean();
});

test('minutes that nobody counted do not look like minutes with deliveries', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page } = await visit(t, browser, hub, '/status');
  const uncounted = page.locator('.minutes span[data-uncounted]').first();
  await uncounted.waitFor();
  assert.match(await uncounted.evaluate((bar) => getComputedStyle(bar).backgroundImage), /repeating-linear-gradient/);
});
