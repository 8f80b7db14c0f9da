/** The palette of commands, by keys alone and in both languages. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, live, spawnDashboard, visit } from '../support/dashboard.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const CASES = [
  { locale: 'en-US', title: 'Search and commands', chats: 'Chats', typed: 'repo', page: 'Reports', keys: 'Keys' },
  {
    locale: 'pt-BR',
    title: 'Busca e comandos',
    chats: 'Conversas',
    // Without the accent that it is written with.
    typed: 'relato',
    page: 'Relatórios',
    keys: 'Atalhos do teclado',
  },
];

for (const { locale, title, chats, typed, page: wanted, keys } of CASES)
  test(`in ${locale} the palette opens with its key, leads to the page that was typed, and gives the focus back`, async (t) => {
    const hub = await spawnDashboard(t, dashboard);
    await hub.says('a', 'hello');
    const { page, clean } = await visit(t, browser, hub, '/live', { locale });
    await live(page);
    const palette = page.getByRole('dialog', { name: title });
    const closed = () => palette.waitFor({ state: 'detached' });
    const focus = () => page.evaluate(() => document.activeElement?.textContent);

    // Escape: whoever only looked goes on where they were.
    await page.getByRole('link', { name: chats, exact: true }).focus();
    for (const key of ['Control+k', 'Meta+k', 'Control+K']) {
      await page.keyboard.press(key);
      await palette.getByRole('combobox').and(page.locator(':focus')).waitFor();
      await page.keyboard.press('Escape');
      await closed();
      assert.equal((await focus())?.trim(), chats, key);
    }
    assert.ok(page.url().endsWith('/live'));

    // Enter: to the page, whose content has the focus.
    await page.keyboard.press('Control+k');
    await palette.waitFor();
    await page.keyboard.type(typed);
    await palette.getByRole('option', { name: wanted }).and(page.locator('[aria-selected=true]')).waitFor();
    assert.deepEqual(await axe(page), []);
    await page.keyboard.press('Enter');
    await page.waitForURL('**/reports');
    await closed();
    await page.waitForFunction(() => document.activeElement?.id === 'content');

    // A command does what it is called.
    await page.keyboard.press('Control+k');
    await palette.waitFor();
    await page.keyboard.type(keys.toLowerCase());
    await palette.getByRole('option', { name: keys, exact: true }).waitFor();
    await page.keyboard.press('Enter');
    await page.getByRole('dialog', { name: keys }).waitFor();
    await page.keyboard.press('Escape');
    await page.getByRole('dialog').waitFor({ state: 'detached' });
    clean();
  });
