/** What somebody chooses on a page: columns, keys, the daily report; and what only an admin is shown. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, chord, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const owned = (agent) => (_, content) => (content.OrganizationMember = { Id: agent });

test('a table of reports has a total, and the columns that somebody chose, which the address keeps', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (const [chat, agent] of [
    ['a', 'ana'],
    ['b', 'rui'],
    ['c', 'rui'],
  ])
    await hub.says(chat, 'hello', owned(agent));
  const { page, clean } = await visit(t, browser, hub, '/reports', { viewport: { width: 1440, height: 900 } });
  await text(page, '.sortable tfoot', 'All together');
  const heads = () => page.locator('.sortable thead th').allInnerTexts();
  assert.equal((await heads()).length, 9);
  await page.getByText('Columns: 8 of 12').click();
  await page.getByRole('checkbox', { name: 'Customer msgs' }).click();
  await page.getByRole('checkbox', { name: 'Closed' }).click();
  await text(page, '.sortable tfoot', '3');
  assert.deepEqual(await axe(page), []);
  assert.match(page.url(), /columns=/);
  await page.reload();
  await text(page, '.sortable thead', 'Customer msgs');
  assert.ok(!(await heads()).some((head) => head.startsWith('Closed')));
  // The head stays in sight, and a table that is printed is whole.
  const position = () =>
    page
      .locator('.sortable thead th')
      .first()
      .evaluate((head) => getComputedStyle(head).position);
  assert.equal(await position(), 'sticky');
  await page.emulateMedia({ media: 'print' });
  assert.equal(await position(), 'static');
  clean();
});

test('who switches single letters off types none of them by accident, and still has the palette', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  await page.keyboard.press('?');
  await page.getByRole('checkbox', { name: 'Single letters are keys' }).uncheck();
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Escape');
  await page.reload();
  await live(page);
  for (const key of ['g', 'c', '?', '/', 'j']) await page.keyboard.press(key);
  // The palette opens after them, on the page where they were pressed.
  await page.keyboard.press('Control+k');
  await page.getByRole('dialog', { name: 'Search and commands' }).waitFor();
  assert.ok(page.url().endsWith('/live'));
  await page.keyboard.type('keys');
  await page.getByRole('option', { name: 'Keys', exact: true }).click();
  await page.getByRole('checkbox', { name: 'Single letters are keys' }).check();
  await page.keyboard.press('Escape');
  await chord(page, 'g', 'c');
  await page.waitForURL(/\/chats/);
  clean();
});

test('two keys that are pressed one after the other lead to a page, also where the page is busy between them', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  await page.evaluate(() =>
    window.addEventListener('keydown', ({ key, timeStamp }) => {
      while (key === 'g' && performance.now() - timeStamp < 2000);
    }),
  );
  await chord(page, 'g', 'c');
  await page.waitForURL(/\/chats/);
  clean();
});

test('an admin says when yesterday is reported, and everybody reads it', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/settings/rules');
  await text(page, '.limit', 'Default: 15 min');
  await page.getByRole('checkbox', { name: 'Send it every day' }).check();
  await page.getByLabel(/^At \(/).fill('08:15');
  await page.getByLabel('Language').selectOption('pt-BR');
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await text(page, '.save', 'Saved.');
  const saved = async () => (await hub.json('/api/umbler/settings')).settings.dailyReport;
  assert.deepEqual(await saved(), { at: '08:15', language: 'pt-BR' });
  await page.reload();
  await page.waitForFunction(
    () => document.querySelector('input[type=time][value="08:15"], #set-report input[type=time]')?.value === '08:15',
  );
  await page.getByRole('checkbox', { name: 'Send it every day' }).uncheck();
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await text(page, '.save', 'Saved.');
  assert.equal(await saved(), undefined);
  clean();
});

test('the name of the organization stands where people sign in, and only admins see what was not understood', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET, ORGANIZATION_NAME: 'Padaria Modelo' });
  const { page, clean } = await visit(t, browser, hub, '/status');
  await text(page, '.sign-in', 'Padaria Modelo');
  assert.deepEqual(await axe(page), []);
  await hub.post({ EventId: 'odd', Type: 'ChatRated', Payload: { Words: 'bom dia <b>' } });
  const enter = async (claims) => {
    await page.evaluate((value) => sessionStorage.setItem('umbler-hub-token', value), token(claims));
    await page.goto(`${hub.origin}/status`);
    await live(page);
    await text(page, '.reasons', 'ChatRated');
  };
  await enter({ role: 'supervisor' });
  assert.equal(await page.getByRole('button', { name: 'Show what came' }).count(), 0);
  await enter({ role: 'admin' });
  await page.getByRole('button', { name: 'Show what came' }).click();
  await text(page, '.raw', '"Words": "bom dia <b>"');
  assert.deepEqual(await axe(page), []);
  clean();
});
