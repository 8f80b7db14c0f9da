/** The reports while an answer is late or fails: numbers of one choice never stand under another. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { buildDashboard, NO_WORKER, spawnDashboard, text, visit } from '../support/dashboard.js';
import { settled } from '../support/still.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const DAY = 24 * 60;
const BEGUN = Date.now();
const at = (minutesAgo) => (delivery, content) => {
  content.CreatedAtUTC =
    delivery.EventDate =
    content.LastMessage.EventAtUTC =
      new Date(BEGUN - minutesAgo * 60_000).toISOString();
  content.Sector = { Id: 'sales', Name: 'Sales' };
  content.OrganizationMember = { Id: 'ana' };
};
const reply = (minutesAgo) => (delivery, content) => {
  at(minutesAgo)(delivery, content);
  content.LastMessage.Source = 'Member';
  content.LastMessage.SentByOrganizationMember = { Id: 'ana' };
};

/** Five chats of this week that were answered, and none of any other: enough for a worst hour. */
async function aWeek(hub) {
  for (let chat = 0; chat < 5; chat += 1) {
    await hub.says(`c${chat}`, 'hello', at(DAY * 2 + 1));
    await hub.says(`c${chat}`, 'yes?', reply(DAY * 2));
  }
}

/** Questions that the test lets pass when it wants to; `refuse` makes them fail instead. */
async function gate(page, isHeld) {
  const held = [];
  let isRefused = false;
  await page.route('**/api/umbler/metrics/**', (route) => {
    if (!isHeld(new URL(route.request().url()))) return route.continue();
    if (isRefused) return route.abort();
    held.push(route);
  });
  return {
    pass: () => Promise.all(held.splice(0).map((route) => route.continue())),
    refuse: () => {
      isRefused = true;
      return Promise.all(held.splice(0).map((route) => route.abort()));
    },
  };
}

const endpoint = ({ pathname }) => pathname.split('/').at(-1);
const opened = (t, hub, path) => visit(t, browser, hub, path, NO_WORKER);

test('the sentence of a report never tells the worst hour of another period', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aWeek(hub);
  const { page } = await opened(t, hub, '/reports?period=week');
  await text(page, '.story', /^7 days: 5 new chats.*slowest/);
  const heat = await gate(page, (url) => endpoint(url) === 'heatmap');
  await page.getByRole('button', { name: 'Today' }).click();
  await text(page, '.story', /^Today: 0 new chats/);
  assert.doesNotMatch(await page.locator('.story').innerText(), /slowest/);
  await heat.pass();
});

test('where the numbers of another choice cannot be had, none of the one before stands under it', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aWeek(hub);
  const { page } = await opened(t, hub, '/reports?period=week');
  await text(page, '.tile[data-name=created] .value', /^5$/);
  await text(page, '.sortable tfoot', '5');
  const all = await gate(page, () => true);
  await page.getByRole('button', { name: 'Today' }).click();
  await all.refuse();
  await text(page, '[role=alert]', 'Could not load');
  for (const selector of ['.story', '.tiles.counts', '.durations', '.sortable', '.distribution'])
    await page.locator(selector).waitFor({ state: 'detached' });
  assert.doesNotMatch(await page.locator('.refresh').innerText(), /\d/);
});

test('numbers whose renewal fails stay, and say of when they are', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aWeek(hub);
  const { page } = await opened(t, hub, '/reports?period=week');
  await text(page, '.tile[data-name=created] .value', /^5$/);
  const before = await page.locator('.refresh').innerText();
  await page.waitForFunction((said) => !said.includes(new Date().toLocaleTimeString('en-US')), before);
  const all = await gate(page, () => true);
  await page.locator('.refresh').click();
  await page.locator('.refresh[data-loading]').waitFor();
  await all.refuse();
  await text(page, '[role=alert]', 'Could not load');
  await text(page, '.tile[data-name=created] .value', /^5$/);
  assert.equal(await page.locator('.refresh').innerText(), before);
});

test('once a sector is chosen, neither the sentence nor the total is that of all sectors', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aWeek(hub);
  await hub.says('other', 'hello', (delivery, content) => {
    at(DAY * 2)(delivery, content);
    content.Sector = { Id: 'support', Name: 'Support' };
  });
  const { page } = await opened(t, hub, '/reports?period=week');
  await text(page, '.story', /^7 days: 6 new chats/);
  const summary = await gate(page, (url) => endpoint(url) === 'summary');
  await page.getByLabel('Sector', { exact: true }).selectOption('support');
  await page.waitForFunction(() => document.querySelectorAll('.sortable tbody tr').length === 1);
  assert.equal(await page.locator('.sortable tfoot').count(), 0);
  await page.locator('.story[aria-busy=true]').waitFor();
  await summary.pass();
  await text(page, '.story', /^7 days: 1 new chat/);
});

test('a browser in another zone asks for the days of the team at once, as soon as it was told them before', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { TIMEZONE: 'America/Sao_Paulo' });
  await aWeek(hub);
  const { page, log, clean } = await visit(t, browser, hub, '/reports?period=week', {
    ...NO_WORKER,
    timezoneId: 'Asia/Tokyo',
  });
  await text(page, '.story', /^7 days: 5 new chats/);
  await settled(page);
  log.requests.length = 0;
  await page.reload();
  await text(page, '.story', /^7 days: 5 new chats/);
  await settled(page);
  const asked = log.requests.filter((url) => new URL(url).pathname.endsWith('/metrics/summary'));
  assert.equal(asked.length, 2, asked.join('\n'));
  clean();
});
