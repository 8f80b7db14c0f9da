/** Filters and layouts under names: for oneself in this browser, and by an admin for the team. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, live, NO_WORKER, signedIn, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const PATH = '/api/umbler/settings';
const THRESHOLDS = {
  waitingWarnSeconds: null,
  waitingSeconds: 600,
  idleSeconds: null,
  firstResponseNearSeconds: null,
  firstResponseSeconds: null,
  windowClosingSeconds: null,
};

async function putSettings(hub, settings, bearer = null) {
  const response = await fetch(hub.origin + PATH, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', ...(bearer && { authorization: `Bearer ${bearer}` }) },
    body: JSON.stringify({ businessHours: {}, thresholds: { default: THRESHOLDS, sectors: {} }, ...settings }),
  });
  assert.equal(response.status, 200, await response.text());
}

const openViews = (page) => page.getByRole('button', { name: 'Views', exact: true }).click();

test('a view of one’s own is kept in this browser, comes back by its name, and can be removed', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/chats?wait=late&at=2026-03-02T13:00:00Z');
  await live(page);
  await openViews(page);
  await page.getByLabel('Name of the view').fill('  Late ones ');
  assert.ok(await page.getByLabel('The whole team').isDisabled());
  await text(page, '.views', 'Save the settings once first');
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await text(page, '.views [role=status]', '“Late ones” is saved.');
  await page.keyboard.press('Escape');
  await page.goto(`${hub.origin}/live`);
  await live(page);
  await openViews(page);
  await page.getByRole('link', { name: 'Late ones' }).click();
  await page.waitForURL(`${hub.origin}/chats?wait=late`);
  assert.equal(await page.getByRole('dialog').count(), 0);
  // The palette finds it as well.
  await page.keyboard.press('Control+k');
  await page.keyboard.type('late o');
  await page.getByRole('option', { name: 'Late ones' }).waitFor();
  await page.keyboard.press('Escape');
  await openViews(page);
  await page.getByRole('button', { name: 'Remove: Late ones' }).click();
  await text(page, '.views', 'None yet. They are kept in this browser.');
  assert.equal(await page.evaluate(() => localStorage.getItem('umbler-hub-views')), '[]');
  assert.equal((await hub.json(PATH)).updatedAt, null, 'the hub is told nothing of it');
  clean();
});

test('a view of the team is on every screen at once, survives a restart, and only admins change it', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  await putSettings(hub, { idleMinutes: 7 }, token());
  const ana = await signedIn(t, browser, hub, '/reports?period=30', { sub: 'ana', name: 'Ana', role: 'admin' });
  const eve = await signedIn(t, browser, hub, '/live', { sub: 'eve', role: 'viewer' });
  await openViews(eve.page);
  await text(eve.page, '.views', 'Only admins can save views for the team.');
  await openViews(ana.page);
  await ana.page.getByLabel('Name of the view').fill('Month');
  await ana.page.getByLabel('The whole team').check();
  await ana.page.getByRole('button', { name: 'Save', exact: true }).click();
  await eve.page.getByRole('link', { name: 'Month' }).waitFor();
  assert.equal(await eve.page.getByRole('button', { name: 'Remove: Month' }).count(), 0);
  assert.deepEqual(await axe(eve.page), []);
  await hub.kill();
  await hub.start();
  const { settings } = await hub.json(PATH, token());
  assert.deepEqual(settings.views, [{ name: 'Month', address: '/reports?period=30' }]);
  assert.deepEqual([settings.idleMinutes, settings.thresholds.default.waitingSeconds], [7, 600], 'nothing else');
  await live(eve.page);
  await eve.page.getByRole('link', { name: 'Month' }).click();
  await eve.page.waitForURL(`${hub.origin}/reports?period=30`);
  ana.clean();
});

test('two admins who save views at the same time both keep theirs, and thresholds keep the views', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await putSettings(hub, {});
  const { page, clean } = await visit(t, browser, hub, '/live', NO_WORKER);
  await live(page);
  await openViews(page);
  await page.getByLabel('Name of the view').fill('Mine');
  await page.getByLabel('The whole team').check();
  // Somebody else saves between what this page knows and what it sends.
  let isFirst = true;
  await page.route(`**${PATH}`, async (route) => {
    if (route.request().method() === 'PUT' && isFirst) {
      isFirst = false;
      await putSettings(hub, { views: [{ name: 'Theirs', address: '/chats?wait=late' }] });
    }
    await route.continue();
  });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await text(page, '.views [role=status]', '“Mine” is saved.');
  const names = async () => (await hub.json(PATH)).settings.views.map(({ name }) => name);
  assert.deepEqual(await names(), ['Theirs', 'Mine']);
  await page.keyboard.press('Escape');
  await page.goto(`${hub.origin}/settings/rules`);
  await page.getByLabel('Waiting: late, All sectors: minutes').fill('30');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await text(page, '.save', 'Saved.');
  assert.deepEqual(await names(), ['Theirs', 'Mine']);
  clean();
});
