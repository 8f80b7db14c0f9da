/** Two sectors or two lines of one name are two things on every page, and called the same on all of them. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const of = (sector, line) => (_, content) => {
  content.Sector = { Id: sector, Name: sector === 'sector-3' ? 'Sales' : 'General' };
  content.Channel = { ...content.Channel, Id: line, Name: line === 'line-2' ? 'Plant' : 'Shop' };
};

/** Two sectors called General, and two lines called Shop. */
async function hubOfNamesakes(t) {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', of('sector-1', 'line-1'));
  await hub.says('b', 'hello', of('sector-2', 'line-2'));
  await hub.says('c', 'hello', of('sector-3', 'line-3'));
  return hub;
}
const SECTORS = ['General · Plant', 'General · Shop', 'Sales'];
const LINES = ['Plant', 'Shop · …ne-1', 'Shop · …ne-3'];
/** Without the one that stands for all. */
const options = async (page, name) =>
  (await page.getByLabel(name, { exact: true }).locator('option').allInnerTexts()).slice(1);

test('on Chats sectors and lines of one name are told apart: in the list, in the filters and beside the conversation', async (t) => {
  const hub = await hubOfNamesakes(t);
  const { page, clean } = await visit(t, browser, hub, '/chats/a', { viewport: { width: 1440, height: 900 } });
  await live(page);
  await text(page, '.list .chat', 'General · Plant');
  await text(page, '.conversation > header', 'General · Shop');
  await text(page, '.conversation > header', 'Shop · …ne-1');
  await text(page, '.details dd', /^General · Shop$/);
  await text(page, '.details dd', /^Shop · …ne-1$/);
  await page.getByRole('button', { name: 'More filters' }).click();
  assert.deepEqual(await options(page, 'Sector'), SECTORS);
  assert.deepEqual(await options(page, 'Channel'), LINES);
  await page.getByLabel('Channel', { exact: true }).selectOption('Shop · …ne-3');
  await text(page, '.count', /^1 chat$/);
  await text(page, '.list .chat', 'Contact of c');
  // As it was, too.
  await page.goto(`${hub.origin}/chats?at=${new Date().toISOString()}`);
  await text(page, '.list .chat', 'General · Plant');
  await page.getByRole('button', { name: 'More filters' }).click();
  assert.deepEqual(await options(page, 'Channel'), LINES);
  clean();
});

test('in Reports sectors and lines of one name are told apart: in what can be chosen, in tables and in titles', async (t) => {
  const hub = await hubOfNamesakes(t);
  const { page, clean } = await visit(t, browser, hub, '/reports?by=sectors');
  await live(page);
  await text(page, '.sortable tbody', 'General · Plant');
  assert.deepEqual(await options(page, 'Sector'), SECTORS);
  assert.deepEqual(await options(page, 'Channel'), LINES);
  const names = () => page.locator('.sortable tbody th').allInnerTexts();
  assert.deepEqual((await names()).sort(), SECTORS);
  await page.getByRole('group', { name: 'Breakdown' }).getByRole('button', { name: 'Channels' }).click();
  await text(page, '.sortable tbody', 'Shop · …ne-1');
  assert.deepEqual((await names()).sort(), LINES);
  await page.goto(`${hub.origin}/reports?by=sectors&behind=created%3Bsector%3Dsector-2`);
  await text(page, '.dialog h2', 'General · Plant');
  clean();
});

test('in the palette a chat stands beside its own sector', async (t) => {
  const hub = await hubOfNamesakes(t);
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  await page.keyboard.press('Control+k');
  await page.keyboard.type('contact of b');
  await text(page, '[role=option]', 'General · Plant');
  clean();
});
