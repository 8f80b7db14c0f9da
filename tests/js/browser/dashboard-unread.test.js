/** What somebody has not read yet: bold in the list, and under a line in the conversation, through page loads. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const replied = (_, content) => {
  content.LastMessage.Source = 'Member';
  content.LastMessage.SentByOrganizationMember = { Id: 'agent-1' };
};
const row = (page, chat) => page.locator('.list .chat', { hasText: `Contact of ${chat}` });
const unread = (page) => page.locator('.list .chat[data-unread] .name > span').allInnerTexts();
/** The message under the line; null where there is none. */
const underTheLine = (page) =>
  page.evaluate(() => document.querySelector('.new-since')?.nextElementSibling?.querySelector('.text')?.textContent);

for (const { locale, word, line } of [
  { locale: 'en-US', word: 'Unread:', line: 'New since you looked' },
  { locale: 'pt-BR', word: 'Não lida:', line: 'Novas desde a sua última visita' },
])
  test(`in ${locale} a chat is bold until somebody looks at it, and so it is after the page was loaded again`, async (t) => {
    const hub = await spawnDashboard(t, dashboard);
    for (const chat of ['a', 'b', 'c']) await hub.says(chat, 'before');
    const { page, clean } = await visit(t, browser, hub, '/chats', { locale });
    await live(page);
    await row(page, 'c').waitFor();
    assert.deepEqual(await unread(page), [], 'what was there before is no news');
    for (const chat of ['a', 'b']) await hub.says(chat, 'news');
    await hub.says('c', 'an answer', replied);
    await text(page, '.list .chat', 'an answer');
    assert.deepEqual(await unread(page), ['Contact of b', 'Contact of a']);
    await text(page, '.list .chat[data-unread]', word);
    const weight = (chat) =>
      row(page, chat)
        .locator('.name')
        .evaluate((name) => getComputedStyle(name).fontWeight);
    assert.deepEqual([await weight('a'), await weight('c')], ['650', '400']);
    assert.deepEqual(await axe(page), []);

    await row(page, 'a').click();
    await text(page, '.new-since', line);
    assert.equal(await underTheLine(page), 'news');
    await page.goto(`${hub.origin}/chats`);
    await row(page, 'c').waitFor();
    await text(page, '.list .chat[data-unread]', 'Contact of b');
    assert.deepEqual(await unread(page), ['Contact of b']);
    // Whoever comes back to a chat that was read sees no line.
    await row(page, 'a').click();
    await text(page, '.message', 'news');
    await page.locator('.list .chat[aria-current]', { hasText: 'Contact of a' }).waitFor();
    assert.equal(await page.locator('.new-since').count(), 0);
    clean();
  });

test('the line stands above all that came while another page was looked at, and stays while more comes', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (let index = 0; index < 30; index += 1) await hub.says('a', `line ${index}`);
  await hub.says('a', 'first');
  const { page, clean } = await visit(t, browser, hub, '/chats/a');
  await live(page);
  await text(page, '.message', 'first');
  await hub.says('a', 'seen as it came');
  await text(page, '.message', 'seen as it came');
  assert.equal(await page.locator('.new-since').count(), 0);
  await page.goto(`${hub.origin}/status`);
  await live(page);
  for (const words of ['second', 'third']) await hub.says('a', words);
  await page.goto(`${hub.origin}/chats/a`);
  await text(page, '.message', 'third');
  assert.equal(await underTheLine(page), 'second');
  // The line makes the conversation higher, and its end is still in sight.
  const below = () =>
    page.locator('.messages .scroll').evaluate((box) => box.scrollHeight - box.scrollTop - box.clientHeight);
  assert.ok((await below()) < 1, `${await below()} pixels lie below`);
  await hub.says('a', 'fourth');
  await text(page, '.message', 'fourth');
  assert.equal(await underTheLine(page), 'second');
  clean();
});

test('a person who is erased leaves what the browser keeps of the chats that were looked at', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (const chat of ['a', 'b']) await hub.says(chat, 'before');
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  for (const chat of ['a', 'b']) {
    await hub.says(chat, 'news');
    await page.goto(`${hub.origin}/chats/${chat}`);
    await text(page, '.message', 'news');
  }
  const kept = () => page.evaluate(() => localStorage.getItem('umbler-hub-looked'));
  assert.match(await kept(), /contact-of-a/);
  assert.doesNotMatch(await kept(), /Contact of|news/, 'neither names nor words');
  // Whichever page is open.
  await page.goto(`${hub.origin}/status`);
  await live(page);
  await hub.erases('contact-of-a');
  await page.waitForFunction(() => !localStorage.getItem('umbler-hub-looked').includes('contact-of-a'));
  assert.match(await kept(), /contact-of-b/);
  clean();
});
