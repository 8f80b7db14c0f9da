/** A browser that lets no page keep anything: pages work, and forget. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, openPage } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const DENIED = { storageDenied: true };

test('the dashboard works where the browser denies storage: language, colours and sound last until the page is left', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page, clean } = await visit(t, browser, hub, '/live', DENIED);
  await live(page);
  await text(page, '.tile[data-name=open] .value', /^1$/);
  await page.getByRole('button', { name: 'Sound on alerts' }).click();
  await page.locator('button[aria-pressed=true]').waitFor();
  await page.getByRole('button', { name: /^Colours|^Theme/ }).click();
  await page.locator('[data-mantine-color-scheme=light]').waitFor({ state: 'attached' });
  await page.getByRole('button', { name: 'Português' }).click();
  await text(page, 'nav', 'Conversas');
  for (const name of ['Conversas', 'Relatórios', 'Ajustes', 'Status']) {
    await page.getByRole('link', { name, exact: true }).click();
    await page.locator('main h1').first().waitFor({ state: 'attached' });
  }
  await page.reload();
  await text(page, 'nav', 'Chats');
  clean();
});

test('signing in works where the browser denies storage, and has to be done again after a reload', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  const { page, clean } = await visit(t, browser, hub, '/live', DENIED);
  for (const visitNumber of [1, 2]) {
    await page.getByLabel('Token', { exact: true }).fill(token({ name: 'Ana Lima' }));
    await page.getByRole('button', { name: 'Sign in' }).click();
    await text(page, '.who', 'Ana Lima');
    if (visitNumber === 1) await page.reload();
  }
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token', { exact: true }).waitFor();
  clean();
});

test('the console works where the browser denies storage, and signs out on request', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  const { page, log } = await openPage(t, browser, { locale: 'en-US', ...DENIED });
  await page.goto(`${hub.origin}/console`);
  await page.getByLabel('Token').fill(token({ name: 'Ana Exemplo' }));
  await page.keyboard.press('Enter');
  await text(page, '#who', 'Ana Exemplo');
  await hub.says('a', 'hello');
  await text(page, '#chats .row', 'hello');
  await page.getByRole('button', { name: 'Mudar para português' }).click();
  await text(page, '#state-name', 'Ao vivo');
  await page.getByRole('button', { name: 'Sair' }).click();
  await page.getByLabel('Token').waitFor();
  assert.deepEqual(log.errors, []);
});
