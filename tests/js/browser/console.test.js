/** The console page, as the hub serves it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, openPage, text } from '../support/browser.js';
import { JWT_SECRET, spawnHub, token } from '../support/hub.js';

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

async function open(t, { settings = {}, ...options } = {}) {
  const hub = await spawnHub(t, settings);
  const opened = await openPage(t, browser, { locale: 'en-US', ...options });
  await opened.page.goto(hub.origin);
  return { hub, ...opened };
}

test('an update shows at once: in the numbers, the chats, the stream and the chat that is open', async (t) => {
  const { hub, page, log } = await open(t);
  await text(page, '#state-name', 'Live');
  await text(page, '#chats-empty', 'No open chats');
  await hub.says('a', 'good morning');
  await text(page, '#stats [data-name=messagesToday] dd', '1');
  await text(page, '#updates .update', 'New message');
  await page.getByRole('button', { name: /Contact of a/ }).click();
  await text(page, '#messages .message', 'good morning');
  await hub.says('a', 'is anybody there?');
  await text(page, '#messages .message:last-child', 'is anybody there?');
  await text(page, '#chats .row', 'is anybody there?');
  assert.deepEqual(log.errors, []);
  assert.deepEqual(log.console, [], 'nothing is refused by the content security policy, and nothing is missing');
});

test('messages stand in their order, the newest last', async (t) => {
  const { hub, page } = await open(t);
  for (const words of ['first', 'second', 'third']) await hub.says('a', words);
  await page.getByRole('button', { name: /Contact of a/ }).click();
  await text(page, '#messages .message', 'third');
  assert.deepEqual(await page.locator('#messages .text').allTextContents(), ['first', 'second', 'third']);
});

test('a deleted message leaves the page: its bubble, the list and the stream of updates', async (t) => {
  const { hub, page } = await open(t);
  await text(page, '#state-name', 'Live');
  const said = (deleted) => (_, content) =>
    Object.assign(content.LastMessage, { Id: 'm', EventAtUTC: '2026-03-02T13:00:00Z', IsDeleted: deleted });
  await hub.says('a', 'my password', said(false));
  await page.getByRole('button', { name: /Contact of a/ }).click();
  await text(page, '#messages .message', 'my password');
  await text(page, '#updates .update', 'my password');
  await hub.says('a', 'my password', said(true));
  await text(page, '#messages .message', 'This message was deleted.');
  await text(page, '#chats .row', 'This message was deleted.');
  await text(page, '#updates .update:last-child', 'This message was deleted.');
  assert.doesNotMatch(await page.content(), /my password/);
});

test('more open chats than the page shows are counted in the heading and below the list', async (t) => {
  const { hub, page } = await open(t);
  for (let chat = 1; chat <= 52; chat += 1) await hub.says(`c${chat}`, 'hello');
  await text(page, '#chats-count', '52');
  await text(page, '#chats-more', '2 more');
  assert.equal(await page.locator('#chats .row').count(), 50);
});

test('what customers write is shown as text, whatever it is', async (t) => {
  const { hub, page } = await open(t);
  await text(page, '#state-name', 'Live');
  const evil = '<img src=x onerror="window.hacked = true"><script>window.hacked = true</script>';
  await hub.says('a', evil, (_, content) => {
    content.Contact.Name = `<b>${evil}</b>`;
  });
  await page.locator('#chats .row').click();
  await text(page, '#messages .message', evil);
  await text(page, '#updates .update', evil);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
  assert.equal(await page.locator('#main b, #main img, #main script').count(), 0);
});

test('a link goes to https alone', async (t) => {
  const { hub, page } = await open(t);
  const file = (url) => (_, content) => {
    content.LastMessage.MessageType = 'File';
    content.LastMessage.File = { Url: url, OriginalName: 'price list.pdf', ContentType: 'application/pdf' };
  };
  await hub.says('a', 'bad', file('javascript:alert(1)'));
  await hub.says('a', 'good', file('https://files.example/list.pdf'));
  await page.getByRole('button', { name: /Contact of a/ }).click();
  await text(page, '#messages .message', 'good');
  const links = await page.locator('#messages a').evaluateAll((all) => all.map((a) => [a.href, a.rel]));
  assert.deepEqual(links, [['https://files.example/list.pdf', 'noopener noreferrer']]);
});

test('a hub that is away shows: reconnecting, then out of date with the age, then live again', async (t) => {
  const { hub, page } = await open(t);
  await hub.says('a', 'before');
  await text(page, '#chats .row', 'before');
  await hub.kill();
  await text(page, '#state-name', 'Reconnecting');
  await text(page, '#state-name', 'Out of date');
  await text(page, '#state-age', /as of \d+ (s|min) ago/);
  assert.ok(await page.locator('#chats .row').isVisible(), 'what was known stays');
  await hub.start();
  await hub.says('a', 'after');
  await text(page, '#state-name', 'Live');
  await text(page, '#chats .row', 'after');
});

test('where no WebSocket gets through the page goes on over the event stream', async (t) => {
  const hub = await spawnHub(t);
  const { page } = await openPage(t, browser, { locale: 'en-US' });
  await page.routeWebSocket('**/ws', (socket) => socket.close());
  await page.goto(hub.origin);
  await text(page, '#state-name', 'Live');
  await text(page, '#state-age', 'by event stream');
  await hub.says('a', 'through the other door');
  await text(page, '#chats .row', 'through the other door');
  await text(page, '#stats [data-name=messagesToday] dd', '1');
});

test('a browser without network tells the truth, and is live again with it', async (t) => {
  const { hub, page } = await open(t);
  await hub.says('a', 'before');
  await text(page, '#chats .row', 'before');
  await page.clock.install();
  await page.context().setOffline(true);
  await page.evaluate(() => dispatchEvent(new Event('offline')));
  await page.clock.runFor(5_000);
  await text(page, '#state-name', 'Reconnecting');
  await page.context().setOffline(false);
  await hub.says('a', 'after');
  await page.clock.runFor(3_000);
  await text(page, '#state-name', 'Live');
  await text(page, '#chats .row', 'after');
});

test('where a key is set the page asks for a token, keeps it in this tab alone, and forgets it on request', async (t) => {
  const { hub, page, log } = await open(t, { settings: { JWT_SECRET } });
  const field = page.getByLabel('Token');
  await field.fill('nonsense');
  await page.keyboard.press('Enter');
  await text(page, '#sign-in-error', /\w+/);
  const good = token({ name: 'Ana Exemplo' });
  await field.fill(good);
  await page.keyboard.press('Enter');
  await text(page, '#who', 'Ana Exemplo');
  await hub.says('a', 'hello');
  await page.getByRole('button', { name: /Contact of a/ }).click();
  await text(page, '#messages .message', 'hello');
  await page.reload();
  await text(page, '#who', 'Ana Exemplo');
  const kept = await page.evaluate(() => [
    JSON.stringify(localStorage),
    JSON.stringify(sessionStorage),
    document.cookie,
  ]);
  assert.deepEqual(
    kept.map((place) => place.includes(good)),
    [false, true, false],
  );
  assert.ok(!log.requests.some((url) => url.includes(good)), 'no address holds it');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token').waitFor();
  assert.equal(await page.evaluate((key) => sessionStorage.getItem(key), 'umbler-hub:token'), null);
});

test('it speaks the language of the browser, and the other one on request, for good', async (t) => {
  const { page } = await open(t, { locale: 'pt-BR' });
  await text(page, '#state-name', 'Ao vivo');
  assert.equal(await page.locator('html').getAttribute('lang'), 'pt-BR');
  await page.getByRole('button', { name: 'Switch to English' }).click();
  await text(page, '#state-name', 'Live');
  await page.reload();
  await text(page, '#state-name', 'Live');
  assert.equal(await page.locator('html').getAttribute('lang'), 'en');
});

test('it follows the colours of the browser, and the other ones on request, for good', async (t) => {
  const { page } = await open(t, { colorScheme: 'dark' });
  const background = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const dark = await background();
  await page.getByRole('button', { name: 'Light' }).click();
  const light = await background();
  assert.notEqual(dark, light);
  await page.reload();
  assert.equal(await background(), light);
});

test('on a phone nothing is wider than the screen, and a chosen chat comes into view', async (t) => {
  const { hub, page } = await open(t, { viewport: { width: 360, height: 640 }, locale: 'pt-BR' });
  await hub.run('simulate', '--url', hub.origin, '--rate', '0', '--seed', '4', '--count', '300');
  // How many chats are open then, and whether anything was written in the latest of them, is another thing each time. Updates
  // come in order: once this one is there, all others are, and no row changes its place any more.
  await hub.says('a', 'o último');
  await text(page, '#chats li:first-child .row', 'o último');
  await page.getByRole('button', { name: /Contact of a/ }).click();
  await page.locator('.message').first().waitFor();
  assert.ok((await page.evaluate(() => document.documentElement.scrollWidth)) <= 360);
  const top = await page.locator('#messages-title').evaluate((title) => title.getBoundingClientRect().top);
  assert.ok(top >= 0 && top < 640, `the title is at ${top}`);
});

test('the keyboard is enough: skip link, chat, pause, and focus stays while updates come', async (t) => {
  const { hub, page } = await open(t);
  await hub.says('a', 'one');
  await hub.says('b', 'two');
  await text(page, '#chats .row', 'Contact of a');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.className), 'skip');
  const row = page.getByRole('button', { name: /Contact of a/ });
  await row.focus();
  await hub.says('b', 'moves to the top');
  await hub.says('a', 'and so does this one');
  await text(page, '#chats li:first-child .row', 'and so does this one');
  assert.ok(await row.evaluate((element) => element === document.activeElement));
  await page.keyboard.press('Enter');
  await text(page, '#messages .message', 'and so does this one');
  const pause = page.getByRole('button', { name: 'Pause' });
  await pause.focus();
  await page.keyboard.press('Space');
  const shown = await page.locator('#updates .update').count();
  await hub.says('a', 'not shown while paused');
  await text(page, '#messages .message', 'not shown while paused');
  assert.equal(await page.locator('#updates .update').count(), shown);
  await page.keyboard.press('Space');
  await text(page, '#updates .update', 'not shown while paused');
});
