/** For whoever works with keys, or listens: where the focus is, what closes, and what is said. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, chord, live, spawnDashboard, text, visit } from '../support/dashboard.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

test('another page has the focus, and says which one it is', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  const focus = () => page.evaluate(() => [document.activeElement?.id, document.activeElement?.ariaLabel]);
  assert.notDeepEqual(await focus(), ['content', 'Live'], 'a page that was only opened takes nothing');
  await page.getByRole('link', { name: 'Reports' }).click();
  await text(page, 'h1', 'Reports');
  assert.deepEqual(await focus(), ['content', 'Reports']);
  assert.deepEqual(await axe(page), []);
  await chord(page, 'g', 'l');
  await page.locator('.page.live').waitFor();
  assert.deepEqual(await focus(), ['content', 'Live']);
  // Opened to search in it, the page has the focus in its field.
  await page.keyboard.press('/');
  await page.waitForFunction(() => document.activeElement?.matches('input[type=search]'));
  clean();
});

test('what is explained, and the choice of columns, close by Escape and by a click elsewhere', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page, clean } = await visit(t, browser, hub, '/live');
  const about = page.locator('.about-this').first();
  const isOpen = (box) => box.evaluate(({ open }) => open);
  for (const [path, box, opener] of [
    ['/live', about, about.locator('summary')],
    ['/reports', page.locator('.column-choice'), page.getByText('Columns: 8 of 12')],
  ]) {
    await page.goto(hub.origin + path);
    await opener.focus();
    await page.keyboard.press('Enter');
    assert.equal(await isOpen(box), true, path);
    await page.keyboard.press('Escape');
    assert.equal(await isOpen(box), false, path);
    assert.equal(await box.locator('summary').evaluate((summary) => summary === document.activeElement), true, path);
    await opener.click();
    assert.equal(await isOpen(box), true, path);
    await page.mouse.click(3, 300);
    assert.equal(await isOpen(box), false, path);
  }
  clean();
});

test('the number of chats is said after what somebody did, and not again with every message that comes', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (const chat of ['a', 'b']) await hub.says(chat, 'hello there');
  const { page, clean } = await visit(t, browser, hub, '/chats');
  await live(page);
  const said = page.locator('.list [role=status]');
  await text(page, '.list [role=status]', '2 chats');
  await page.evaluate(() => {
    window.said = [];
    new MutationObserver(() => window.said.push(document.querySelector('.list [role=status]')?.textContent)).observe(
      document.querySelector('.list [role=status]'),
      { childList: true, characterData: true, subtree: true },
    );
  });
  await hub.says('c', 'hello there');
  await text(page, '.count', '3 chats');
  assert.equal(await said.innerText(), '2 chats');
  await page.getByRole('button', { name: 'All' }).click();
  await text(page, '.list [role=status]', '3 chats');
  // The same number again is an answer, too.
  await page.getByRole('button', { name: 'Open', exact: true }).click();
  await page.waitForFunction(() => window.said.length >= 2);
  assert.deepEqual(await page.evaluate(() => window.said), ['3 chats', '3 chats']);

  await page.goto(`${hub.origin}/chats?search=hello&in=messages`);
  await text(page, '.list [role=status]', '3 messages found');
  await hub.erases('contact-of-a');
  await text(page, '.count', '2 messages found');
  assert.equal(await said.innerText(), '3 messages found');
  clean();
});
