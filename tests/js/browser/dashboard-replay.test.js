/** A stretch of the past, played: it starts from how things stood, and what came then comes again. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, spawnDashboard, text, visit } from '../support/dashboard.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const answer = (_, content) => {
  content.Waiting = false;
  content.LastMessage.Source = 'Member';
  content.LastMessage.SentByOrganizationMember = { Id: 'agent-1' };
};
/** The hub's clock at a delivery, by which a replay goes, and a while that makes it another moment. */
async function said(hub, ...what) {
  await hub.says(...what);
  const at = Date.now();
  // Another second begins before anything else happens.
  while (Date.now() < at + 1100) await hub.json('/health');
  return new Date(at + 50).toISOString();
}
const says = (page, name, wanted) => text(page, `.tile[data-name=${name}] .value`, new RegExp(`^${wanted}$`));
const play = (page) => page.getByRole('button', { name: 'Play from here' }).click();

test('what came after the moment comes again, on Live and in the conversation, and its end is said', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const from = await said(hub, 'a', 'the first');
  await said(hub, 'b', 'the second');
  await said(hub, 'a', 'the answer', answer);
  const { page, clean } = await visit(t, browser, hub, `/chats/a?at=${from}`);
  await text(page, '.message', 'the first');
  assert.equal(await page.locator('.message').count(), 1);
  await text(page, '.list .count', /^1 chat$/);
  await page.getByLabel('Speed').selectOption('1');
  await play(page);
  await text(page, '.message:last-child', 'the answer');
  await text(page, '.list .count', '2 chats');
  await page.getByLabel('Speed').selectOption('600');
  await text(page, '.player', 'End of the replay.');
  assert.deepEqual(await page.locator('.message .text').allInnerTexts(), ['the first', 'the answer']);
  assert.deepEqual(await axe(page), []);
  // Live shows the same moment, and what is new reaches neither.
  await page.getByRole('link', { name: 'Live' }).click();
  await says(page, 'open', 2);
  await says(page, 'unanswered', 1);
  await hub.says('c', 'of now');
  await page.getByRole('link', { name: 'Chats', exact: true }).click();
  await text(page, '.list .count', '2 chats');
  await page.getByRole('button', { name: 'Back to now' }).click();
  await text(page, '.list .count', '3 chats');
  assert.equal(await page.locator('.time-bar').count(), 0);
  clean();
});

test('it is paused where it is, goes on from there, and stops at a moment of the past', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const from = await said(hub, 'a', 'the first');
  await said(hub, 'b', 'the second');
  const { page, log, clean } = await visit(t, browser, hub, `/chats?at=${from}`);
  await text(page, '.list .count', /^1 chat$/);
  const sockets = log.sockets.length;
  await page.getByLabel('Speed').selectOption('1');
  // Within the page, as soon as it plays: the stretch is short, and a busy machine takes long to press a button.
  const paused = page.waitForFunction(() => {
    const button = [...document.querySelectorAll('.player button')].find(
      ({ disabled, textContent }) => !disabled && textContent === 'Pause',
    );
    button?.click();
    return button !== undefined;
  });
  await play(page);
  await paused;
  await page.getByRole('button', { name: 'Play', exact: true }).waitFor();
  const stood = await page.locator('.played').innerText();
  const values = await page.locator('.player progress').evaluate(({ value }) => value);
  assert.ok(values >= 0 && values <= 1);
  await page.waitForFunction(
    () => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(() => resolve(true)))),
  );
  assert.equal(await page.locator('.played').innerText(), stood);
  await page.getByLabel('Speed').selectOption('600');
  await page.getByRole('button', { name: 'Play', exact: true }).click();
  await text(page, '.list .count', '2 chats');
  await text(page, '.player', 'End of the replay.');
  assert.ok(log.sockets.length > sockets, 'on a socket of its own');
  await page.getByRole('button', { name: 'Stop' }).click();
  await page.getByRole('button', { name: 'Play from here' }).waitFor();
  assert.ok(Date.parse(new URL(page.url()).searchParams.get('at')) > Date.parse(from));
  await text(page, '.time-bar', 'The past');
  // The one that is live stays.
  await Promise.all(log.sockets.slice(sockets).map((socket) => socket.isClosed() || socket.waitForEvent('close')));
  assert.equal(log.sockets.filter((socket) => !socket.isClosed()).length, 1);
  clean();
});

test('a stretch whose updates are not kept any more says so, and shows the moment all the same', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { UPDATES_RETAINED: '1000', UPDATES_IN_MEMORY: '100' });
  const from = await said(hub, 'a', 'the first');
  await hub.run('simulate', '--url', hub.origin, '--rate', '0', '--count', '4000', '--seed', '7');
  const { page } = await visit(t, browser, hub, `/chats?at=${from}`);
  await text(page, '.list .count', /^1 chat$/);
  await play(page);
  await text(page, '.player', 'no longer keeps the updates');
  await text(page, '.list .count', /^1 chat$/);
});

test('a chat of the past that is played is found without accents, and by letters that only look special', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const named = (name) => (_, content) => {
    content.Contact.Name = name;
  };
  const from = await said(hub, 'a', 'the first', named('João 2ª Loja'));
  await said(hub, 'b', 'the second', named('Bia'));
  const { page, clean } = await visit(t, browser, hub, `/chats?at=${from}`);
  await page.getByLabel('Speed').selectOption('600');
  await play(page);
  await text(page, '.player', 'End of the replay.');
  await text(page, '.list .count', '2 chats');
  for (const [search, count] of [
    ['joao', 1],
    ['JOÃO 2A', 1],
    ['ｊｏａｏ', 1],
    ['joana', 0],
    ['bia', 1],
  ]) {
    await page.getByRole('searchbox').fill(search);
    await text(page, '.list .count', count === 1 ? /^1 chat$/ : `${count} chats`);
  }
  clean();
});
