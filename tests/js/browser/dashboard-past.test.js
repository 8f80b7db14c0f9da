/** The time machine: Live and Chats as they were, never mixed with what is now. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { askedFor, axe, buildDashboard, NO_WORKER, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const MINUTE_MS = 60_000;
/** Minutes ago are counted from here, so that what lies between two moments is exact, however slow the machine is. */
const BEGUN = Math.floor(Date.now() / 1000) * 1000;
const moment = (minutesAgo) => new Date(BEGUN - minutesAgo * MINUTE_MS).toISOString().replace('.000Z', 'Z');
const at =
  (minutesAgo, more = () => {}) =>
  (delivery, content) => {
    delivery.EventDate = content.LastMessage.EventAtUTC = moment(minutesAgo);
    content.CreatedAtUTC = moment(120);
    more(delivery, content);
  };
const sector = (Id) => (_, content) => (content.Sector = { Id, Name: `Sector ${Id}` });
const answer = (_, content) => {
  content.LastMessage.Source = 'Member';
  content.LastMessage.SentByOrganizationMember = { Id: 'agent-1' };
};
const says = (page, name, wanted) => text(page, `.tile[data-name=${name}] .value`, new RegExp(`^${wanted}$`));
const settled = (page) => page.locator('.past[aria-busy=false]').waitFor();

/** `a` wrote 90 minutes ago and was answered after 60; `b` wrote 45 minutes ago. */
async function anHour(hub) {
  await hub.says('a', 'the first', at(90, sector('sales')));
  await hub.says('b', 'the second', at(45, sector('support')));
  await hub.says(
    'a',
    'the answer',
    at(30, (...both) => [sector('support')(...both), answer(...both)]),
  );
}

test('the live page as it was: numbers, who waited and for how long, and nothing of now', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await anHour(hub);
  const past = moment(60);
  const { page, log, clean } = await visit(t, browser, hub, `/live?at=${past}`);
  await says(page, 'open', 1);
  await says(page, 'unanswered', 1);
  await text(page, '.tile[data-name=longest] .value', /^30:00$/);
  assert.deepEqual(await page.locator('.queue .waiting .name').allInnerTexts(), ['Contact of a']);
  const [name, ...others] = await page.locator('.groups[data-by=sector] tbody th').allInnerTexts();
  assert.match(name, /sales$/);
  assert.deepEqual(others, []);
  await text(page, '.time-bar', 'The past');
  await text(page, '.past', 'Past alerts are not shown');
  await text(page, '.traffic .soFar', 'So far: 1');
  assert.deepEqual(await axe(page), []);
  // Time stands still, and what happens now changes nothing.
  await page.clock.install();
  const before = await page.locator('.past').innerText();
  const asked = askedFor(log).length;
  const arrived = log.sockets[0].waitForEvent('framereceived', ({ payload }) => payload.includes('"Contact of c"'));
  await hub.says('c', 'now');
  await arrived;
  // Whatever the page does at an update, it does within the longest of its own waits.
  await page.clock.runFor(10_000);
  assert.equal(await page.locator('.past').innerText(), before);
  assert.deepEqual(askedFor(log).slice(asked), []);
  await page.getByRole('button', { name: 'Back to now' }).click();
  await says(page, 'open', 3);
  assert.equal(await page.locator('.time-bar').count(), 0);
  assert.equal(new URL(page.url()).search, '');
  clean();
});

test('steps and keys go through time, the address tells the moment, and the way to the chats keeps it', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await anHour(hub);
  const past = moment(60);
  const { page, clean } = await visit(t, browser, hub, `/live?at=${past}`);
  await says(page, 'open', 1);
  const shown = () => Date.parse(new URL(page.url()).searchParams.get('at'));
  const moved = (minutes) =>
    page.waitForFunction(
      (wanted) => Date.parse(new URL(location.href).searchParams.get('at')) === wanted,
      Date.parse(past) + minutes * MINUTE_MS,
    );
  await page.getByRole('button', { name: '+5 min' }).click();
  await moved(5);
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await page.keyboard.press('ArrowRight');
  await moved(20);
  await settled(page);
  await says(page, 'open', 2);
  await text(page, '.queue', 'Contact of b');
  await page.keyboard.press('PageUp');
  await moved(20 - 1440);
  await settled(page);
  await says(page, 'open', 0);
  await page.keyboard.press('PageDown');
  await page.keyboard.press('ArrowUp');
  await moved(20 - 60);
  await says(page, 'open', 0);
  await page.keyboard.press('ArrowDown');
  await says(page, 'open', 2);
  const asOf = shown();
  await page.getByRole('link', { name: /^Contact of a/ }).click();
  assert.equal(shown(), asOf);
  await text(page, '.message', 'the first');
  assert.equal(await page.locator('.message').count(), 1);
  await page.getByRole('link', { name: 'Live' }).click();
  assert.equal(shown(), asOf);
  await page.locator('.tile[data-name=open]').waitFor();
  // A moment beyond now is now.
  await page.locator('.time-bar').focus();
  await page.keyboard.press('PageDown');
  await says(page, 'open', 2);
  assert.equal(new URL(page.url()).searchParams.get('at'), null);
  clean();
});

test('a key that is pressed while another page still opens moves that page through time', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await anHour(hub);
  const { page, clean } = await visit(t, browser, hub, `/chats/a?at=${moment(60)}`);
  await text(page, '.message', 'the first');
  // Both in one turn of the page, which has no time to draw in between.
  await page.evaluate(() => {
    const link = [...document.querySelectorAll('header.top a')].find(({ textContent }) => textContent.includes('Live'));
    link.click();
    document.querySelector('.time-bar').dispatchEvent(new KeyboardEvent('keydown', { key: 'PageDown', bubbles: true }));
  });
  await says(page, 'open', 2);
  await page.waitForURL(`${hub.origin}/live`);
  clean();
});

test('chats and a conversation as they were: who had it, what was written, what had happened', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await anHour(hub);
  const { page, clean } = await visit(t, browser, hub, `/chats/a?at=${moment(60)}`);
  await text(page, '.list .count', /^1 chat$/);
  await text(page, '.list .chat', 'the first');
  await text(page, '.list .wait', /^30:00$/);
  await text(page, '.conversation header', 'sales');
  assert.deepEqual(await page.locator('.message .text').allInnerTexts(), ['the first']);
  await page.getByText('History').click();
  await text(page, '.steps', 'Opened');
  assert.equal(await page.locator('.steps li[data-type=sector_changed]').count(), 1);
  assert.deepEqual(await axe(page), []);
  // The live message reaches neither.
  await hub.says('a', 'of now');
  await page.getByRole('link', { name: 'Live' }).click();
  await says(page, 'open', 1);
  await page.goto(`${hub.origin}/chats/b?at=${moment(60)}`);
  await text(page, '.conversation', 'The hub did not know this chat then');
  await page.goto(`${hub.origin}/chats/a?at=${moment(20)}`);
  await text(page, '.message:last-child', 'the answer');
  assert.deepEqual(await page.locator('.message .text').allInnerTexts(), ['the first', 'the answer']);
  await text(page, '.conversation header', 'Sector support');
  await text(page, '.list .count', '2 chats');
  assert.equal(await page.getByRole('button', { name: 'Messages', exact: true }).count(), 0);
  await page.getByRole('button', { name: 'Back to now' }).click();
  await text(page, '.message:last-child', 'of now');
  clean();
});

test('a moment that is none is said to be, and now is shown as now', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  for (const wrong of ['nonsense', moment(-600)]) {
    const { page, clean } = await visit(t, browser, hub, `/live?at=${wrong}`);
    await text(page, '.time-bar[role=alert]', 'does not name a moment in the past');
    await says(page, 'open', 1);
    assert.equal(await page.locator('[data-past], .past').count(), 0);
    clean();
    await page.context().close();
  }
});

test('before the first delivery there is nothing, and a failure shows no number', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page } = await visit(t, browser, hub, '/live?at=2020-01-01T12:00:00Z', NO_WORKER);
  await says(page, 'open', 0);
  await text(page, '.queue', 'Nobody is waiting');
  await page.route('**/metrics/live*', (route) =>
    route.fulfill({
      status: 503,
      contentType: 'application/json',
      body: '{"error":{"code":"unavailable","message":"not now"}}',
    }),
  );
  await page.getByRole('button', { name: '+1 d' }).click();
  await text(page, '[role=alert]', 'not now');
  await says(page, 'open', '–');
  await page.unroute('**/metrics/live*');
  await page.getByRole('button', { name: 'Try again' }).click();
  await says(page, 'open', 0);
});

test('a token sees of the past what stood in its scope then, masked for a viewer', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  await anHour(hub);
  const { page, clean } = await visit(t, browser, hub, '/live');
  for (const [claims, open, names] of [
    [{ sectors: ['sales'], role: 'agent' }, 1, ['No name']],
    [{ sectors: ['support'], role: 'agent' }, 0, []],
    [{ role: 'viewer' }, 1, ['C•••']],
  ]) {
    await page.evaluate((value) => sessionStorage.setItem('umbler-hub-token', value), token(claims));
    await page.goto(`${hub.origin}/live?at=${moment(60)}`);
    await says(page, 'open', open);
    await settled(page);
    assert.deepEqual(await page.locator('.queue .waiting .name').allInnerTexts(), names);
  }
  clean();
});
