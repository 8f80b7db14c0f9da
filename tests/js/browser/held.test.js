/** Rows do not jump away from under a pointer, against the real hub. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/** So long a pointer may rest before rows move again: in these tests without end, however slow the machine is. */
const REST_MS = 3000;

/** The pointer rests on the middle of a row; a click there is one without another move. */
async function pointAt(page, row) {
  await page.evaluate((restMs) => {
    const { setTimeout } = window;
    window.setTimeout = (run, ms, ...more) => (ms === restMs ? 0 : setTimeout(run, ms, ...more));
  }, REST_MS);
  const { x, y, width, height } = await row.boundingBox();
  await page.mouse.move(x + width / 3, y + height / 2);
  return async () => {
    await page.mouse.down();
    await page.mouse.up();
  };
}

const names = (page, rows) => page.locator(`${rows} .name > span, ${rows} .who-where .name`).allTextContents();

test('a chat that is pointed at is opened by a click, however the list of chats has changed meanwhile', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (const chat of ['a', 'b', 'c']) await hub.says(chat, 'hello');
  const { page, clean } = await visit(t, browser, hub, '/chats');
  await live(page);
  const rows = page.locator('.list .chat');
  await rows.nth(2).waitFor();
  const click = await pointAt(page, rows.nth(1));
  // It would move up, and another one would take its place.
  await hub.says('a', 'is anybody there?');
  await hub.says('new', 'good morning');
  await text(page, '.list .chat >> nth=2', 'is anybody there?');
  await text(page, '.held-new button', 'New: 1');
  assert.deepEqual(await names(page, '.list .chat'), ['Contact of c', 'Contact of b', 'Contact of a']);
  await click();
  await page.waitForURL(`${hub.origin}/chats/b`);
  await page.mouse.move(900, 400);
  await text(page, '.list .chat >> nth=0', 'Contact of new');
  await page.locator('.held-new').waitFor({ state: 'detached' });
  clean();
});

test('a customer who waits and is pointed at is opened by a click, though another one was answered meanwhile', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (const chat of ['a', 'b', 'c']) await hub.says(chat, 'hello');
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  const rows = page.locator('.queue .waiting');
  await rows.nth(2).waitFor();
  const second = rows.nth(1);
  const chat = await second.locator('a.main').getAttribute('href');
  const click = await pointAt(page, second);
  const [first] = await names(page, '.queue .waiting');
  await hub.says(first.at(-1), 'here I am', (_, content) => {
    content.LastMessage.Source = 'Member';
    content.LastMessage.SentByOrganizationMember = { Id: 'bia' };
  });
  await page.waitForFunction(() => document.querySelectorAll('.queue .waiting').length === 2);
  await click();
  await page.waitForURL(hub.origin + chat);
  clean();
});
