/** What stands where on a phone, which shows one thing after the other, and beside each other on a desk. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { settled } from '../support/still.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const PHONE = { viewport: { width: 390, height: 844 } };
const boxOf = (page, part) => page.locator(part).boundingBox();

test('on a phone who waits and the alerts come before the day, and on a desk the day stands between them', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page, clean } = await visit(t, browser, hub, '/live', PHONE);
  await text(page, '.alerts', 'Alerts are off');
  await text(page, '.traffic', 'So far: 1');
  const tops = await Promise.all(['.queue', '.alerts', '.traffic'].map(async (part) => (await boxOf(page, part)).y));
  assert.deepEqual(
    tops.toSorted((a, b) => a - b),
    tops,
  );
  await page.setViewportSize({ width: 1440, height: 900 });
  const lefts = await Promise.all(['.queue', '.traffic', '.alerts'].map(async (part) => (await boxOf(page, part)).x));
  assert.ok(lefts[0] < lefts[1] && lefts[1] < lefts[2], String(lefts));
  clean();
});

test('on a phone a report begins with its sentence; what narrows it opens by a button that says how much is chosen', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page, clean } = await visit(t, browser, hub, '/reports', PHONE);
  await text(page, '.story', /new chats/);
  const story = await boxOf(page, '.story');
  assert.ok(story.y + story.height < PHONE.viewport.height, JSON.stringify(story));
  const clock = page.getByRole('button', { name: 'Business hours' });
  assert.equal(await clock.isVisible(), false);
  await page.getByRole('button', { name: 'More filters' }).click();
  await clock.click();
  await page.getByRole('button', { name: 'More filters (1)' }).waitFor();
  await settled(page);
  assert.deepEqual(await axe(page), []);
  await page.reload();
  await live(page);
  await clock.waitFor();
  await page.setViewportSize({ width: 1440, height: 900 });
  assert.equal(await page.getByRole('button', { name: 'More filters (1)' }).isVisible(), false);
  clean();
});
