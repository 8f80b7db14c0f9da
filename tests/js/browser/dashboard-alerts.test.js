/** Deadlines: they are set once, waits are coloured by them, and an alert is on every screen at the second it is due. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, signedIn, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const MINUTE_MS = 60_000;
const ago = (minutes, sector) => (delivery, content) => {
  const at = new Date(Date.now() - minutes * MINUTE_MS).toISOString();
  delivery.EventDate = content.LastMessage.EventAtUTC = at;
  if (sector) content.Sector = { Id: sector, Name: `Sector ${sector}` };
};
const answer = (_, content) => {
  content.LastMessage.Source = 'Member';
  content.LastMessage.SentByOrganizationMember = { Id: 'agent-1' };
};

/** Saves thresholds as an admin would through REST; what is not named raises nothing. */
async function setThresholds(hub, own, sectors = {}) {
  const none = {
    waitingWarnSeconds: null,
    waitingSeconds: null,
    idleSeconds: null,
    firstResponseNearSeconds: null,
    firstResponseSeconds: null,
    windowClosingSeconds: null,
  };
  const response = await fetch(`${hub.origin}/api/umbler/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ businessHours: {}, thresholds: { default: { ...none, ...own }, sectors } }),
  });
  assert.equal(response.status, 200, await response.text());
}

test('thresholds that are saved colour the waits of another screen, each sector by its own', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', ago(20, 'sales'));
  await hub.says('b', 'hello', ago(20, 'support'));
  const { page: other } = await visit(t, browser, hub, '/live');
  await text(other, '.tile[data-name=late]', 'limit 15 min');
  await text(other, '.tile[data-name=late] .value', /^2$/);
  const { page, clean } = await visit(t, browser, hub, '/settings/rules');
  await page.getByLabel('Waiting: late, All sectors: minutes').fill('30');
  await page.getByLabel('Sector with its own thresholds').selectOption('sales');
  await page.getByRole('button', { name: 'Add', exact: true }).click();
  const sales = page.getByRole('group', { name: 'Sector sales' });
  await sales.getByLabel('Waiting: late', { exact: true }).selectOption('own');
  await page.getByLabel('Waiting: late, Sector sales: minutes').fill('10');
  await sales.getByLabel('Idle chat').selectOption('none');
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: 'Save' }).click();
  await text(page, '.save', 'Saved.');
  await text(other, '.tile[data-name=late] dt', /^Late$/);
  await text(other, '.tile[data-name=late] .value', /^1$/);
  await text(other, '.waiting[data-urgency=late]', 'Contact of a');
  await text(other, '.waiting[data-urgency=attention]', 'Contact of b');
  const { settings } = await hub.json('/api/umbler/settings');
  assert.equal(settings.thresholds.default.waitingSeconds, 1800);
  assert.deepEqual(settings.thresholds.sectors, { sales: { waitingSeconds: 600, idleSeconds: null } });
  clean();
});

test('a screen says that no alert comes while nobody has saved thresholds, and one click on Save changes that', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/live');
  await text(page, '.alerts .blank', 'Alerts are off');
  // What is late all the same is so by the limit that nobody has chosen.
  await text(page, '.tile[data-name=late] .hint', 'default limit 15 min');
  await page.locator('.alerts .blank a').click();
  await page.getByRole('button', { name: 'Save' }).click();
  await text(page, '.save', 'Saved.');
  const saved = await hub.json('/api/umbler/settings');
  assert.equal(saved.settings.thresholds.default.waitingWarnSeconds, 300);
  assert.notEqual(saved.updatedAt, null);
  clean();
});

test('hours and holidays are saved, and a wrong one is told at its field', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/settings/rules');
  await page.getByRole('button', { name: 'Add holiday' }).click();
  await page.getByLabel('Date 1').fill('2026-12-25');
  await page.getByLabel('Name 1').fill('Natal');
  const monday = page.getByRole('group', { name: 'Monday' });
  const spans = monday.getByRole('button', { name: /^Remove/ });
  for (let left = await spans.count(); left > 0; left -= 1) await spans.first().click();
  await monday.getByRole('button', { name: 'Add hours: Monday' }).click();
  await page.getByLabel('Monday 1: from').fill('18:00');
  await page.getByLabel('Monday 1: to').fill('09:00');
  await page.getByRole('button', { name: 'Save' }).click();
  await text(page, '[role=alert]', 'Monday: must be two times of day');
  assert.deepEqual(await axe(page), []);
  await page.getByLabel('Monday 1: from').fill('09:00');
  await page.getByLabel('Monday 1: to').fill('18:00');
  await page.getByRole('button', { name: 'Copy Monday to all workdays' }).click();
  await page.getByRole('button', { name: 'Save' }).click();
  await text(page, '.save', 'Saved.');
  const { settings } = await hub.json('/api/umbler/settings');
  assert.deepEqual(settings.businessHours.friday, [['09:00', '18:00']]);
  assert.deepEqual(settings.holidays, [{ date: '2026-12-25', name: 'Natal' }]);
  await page.reload();
  await page.waitForFunction(() => [...document.querySelectorAll('input')].some(({ value }) => value === 'Natal'));
  clean();
});

test('whoever edits settings that somebody else saves meanwhile is told, and loses nothing', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page } = await visit(t, browser, hub, '/settings/rules');
  const field = page.getByLabel('Waiting: late, All sectors: minutes');
  await field.fill('42');
  await setThresholds(hub, { waitingSeconds: 60 });
  await text(page, '[role=alert]', 'saved other settings meanwhile');
  assert.equal(await field.inputValue(), '42');
  await page.getByRole('button', { name: 'Use theirs' }).click();
  assert.equal(await field.inputValue(), '1');
  await setThresholds(hub, { waitingSeconds: 120 });
  await page.waitForFunction(() =>
    [...document.querySelectorAll('input[type=number]')].some(({ value }) => value === '2'),
  );
});

test('saving when somebody else has saved is refused, keeps the draft, and is a choice: theirs, or over theirs', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/settings/rules');
  const field = page.getByLabel('Waiting: late, All sectors: minutes');
  const dialog = page.getByRole('dialog', { name: 'Somebody else saved first' });
  const late = async () => (await hub.json('/api/umbler/settings')).settings.thresholds.default.waitingSeconds;
  await field.fill('42');
  await page.getByLabel('Minutes without a message').fill('7');
  await setThresholds(hub, { waitingSeconds: 60 });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.waitFor();
  assert.deepEqual(await axe(page), []);
  assert.equal(await late(), 60);
  await page.keyboard.press('Escape');
  assert.equal(await field.inputValue(), '42');
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('button', { name: 'Save over theirs' }).click();
  await text(page, '.save', 'Saved.');
  assert.equal(await late(), 42 * 60);
  assert.equal((await hub.json('/api/umbler/settings')).settings.idleMinutes, 7);
  await field.fill('43');
  await setThresholds(hub, { waitingSeconds: 120 });
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await dialog.getByRole('button', { name: 'Use theirs' }).click();
  assert.equal(await field.inputValue(), '2');
  assert.equal(await page.getByLabel('Minutes without a message').inputValue(), '30');
  assert.equal(await late(), 120);
  clean();
});

test('only admins change the settings; others read them', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  for (const role of ['supervisor', 'viewer']) {
    const { page, clean } = await signedIn(t, browser, hub, '/settings/rules', { sub: role, role });
    await text(page, '.rules', 'Only admins can change these');
    assert.ok(await page.getByLabel('Waiting: late, All sectors: minutes').isDisabled());
    assert.equal(await page.getByRole('button', { name: 'Save' }).count(), 0);
    clean();
    await page.context().close();
  }
});

test('an alert is on the screen when it is due, is taken by one for all to see, and goes with its reason', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  const put = await fetch(`${hub.origin}/api/umbler/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json', authorization: `Bearer ${token()}` },
    body: JSON.stringify({
      businessHours: {},
      thresholds: {
        default: {
          waitingWarnSeconds: null,
          waitingSeconds: 1,
          idleSeconds: null,
          firstResponseNearSeconds: null,
          firstResponseSeconds: null,
          windowClosingSeconds: null,
        },
      },
    }),
  });
  assert.equal(put.status, 200);
  const ana = await signedIn(t, browser, hub, '/live', { sub: 'ana', name: 'Ana', role: 'agent' });
  const rui = await signedIn(t, browser, hub, '/live', { sub: 'rui', name: 'Rui', role: 'supervisor' });
  const eve = await signedIn(t, browser, hub, '/live', { sub: 'eve', role: 'viewer' });
  await text(ana.page, '.alerts', 'No active alerts');
  await hub.says('a', 'is anybody there?');
  await text(ana.page, '.alert .name', 'Contact of a');
  await text(ana.page, '.alert .quiet', / · Waiting: late · /);
  await text(eve.page, '.alert', 'C•••');
  assert.equal(await eve.page.getByRole('button', { name: /^Take/ }).count(), 0);
  assert.deepEqual(await axe(rui.page), []);
  await rui.page.getByRole('button', { name: /^I’m on it: Waiting: late/ }).click();
  await text(rui.page, '.alert[data-taken]', 'Rui is on it');
  assert.equal(await rui.page.evaluate(() => document.activeElement.matches('.alert a.main')), true);
  await text(ana.page, '.alert[data-taken]', 'Rui is on it');
  await ana.page.reload();
  await text(ana.page, '.alert[data-taken]', 'Rui is on it');
  await hub.says('a', 'yes!', answer);
  await text(ana.page, '.alerts', 'No active alerts');
  await text(eve.page, '.alerts', 'No active alerts');
  for (const { clean } of [ana, rui, eve]) clean();
});

test('a tone sounds at an alert only where somebody switched it on, on any page', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await setThresholds(hub, { waitingSeconds: 1 });
  const { page, clean } = await visit(t, browser, hub, '/live');
  await page.evaluate(() => {
    window.tones = 0;
    const { start } = OscillatorNode.prototype;
    OscillatorNode.prototype.start = function (...args) {
      window.tones += 1;
      return start.apply(this, args);
    };
  });
  const toggle = page.getByRole('button', { name: 'Sound on alerts' });
  assert.equal(await toggle.getAttribute('aria-pressed'), 'false');
  await hub.says('a', 'hello');
  await text(page, '.alert', 'Contact of a');
  assert.equal(await page.evaluate(() => window.tones), 0);
  await toggle.click();
  await page.waitForFunction(() => window.tones === 2);
  assert.equal(await toggle.getAttribute('aria-pressed'), 'true');
  await page.getByRole('link', { name: 'Chats', exact: true }).click();
  await hub.says('b', 'hello');
  await page.waitForFunction(() => window.tones === 4);
  clean();
});

test('a page that opens on thousands of chats stays within what the hub allows one address', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { RATE_LIMIT_REST_PER_SECOND: '50' });
  let next = 0;
  const write = async () => {
    while (next < 3000) {
      next += 1;
      await hub.says(`chat-${next}`, 'hello');
    }
  };
  await Promise.all(Array.from({ length: 50 }, write));
  const opened = await visit(t, browser, hub, '/nowhere');
  const refused = [];
  opened.page.on('response', (response) => response.status() === 429 && refused.push(response.url()));
  await opened.page.goto(`${hub.origin}/live`);
  await text(opened.page, '.tile[data-name=open] .value', /^3,000$/);
  await text(opened.page, '.traffic table', 'Customers');
  assert.deepEqual(refused, []);
});

test('the wait of an agent has the colour of its sector, also where the chats come after the numbers', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await setThresholds(hub, { waitingSeconds: 7200 }, { support: { waitingSeconds: 60 } });
  await hub.says('a', 'hello', (delivery, content) => {
    ago(20, 'support')(delivery, content);
    content.OrganizationMember = { Id: 'ana' };
  });
  const { page, clean } = await visit(t, browser, hub, '/nowhere');
  const held = [];
  let release;
  let pass = (words) => held.push(words);
  await page.routeWebSocket(/\/ws/, (socket) => {
    const server = socket.connectToServer();
    server.onMessage((words) => (JSON.parse(words).event === 'umbler_data' ? pass(words) : socket.send(words)));
    release = () => {
      pass = (words) => socket.send(words);
      held.splice(0).forEach(pass);
    };
  });
  await page.goto(`${hub.origin}/live`);
  const wait = page.locator('.groups', { hasText: 'Open chats by agent' }).locator('.wait');
  await wait.and(page.locator('[data-urgency=soon]')).waitFor();
  release();
  await wait.and(page.locator('[data-urgency=late]')).waitFor();
  clean();
});

test('of several new alerts the wall tells the most urgent one, of those the one that is due the longest, and how many more', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await setThresholds(hub, { waitingWarnSeconds: 60, waitingSeconds: 600 });
  const { page, clean } = await visit(t, browser, hub, '/live?wall');
  await text(page, '.wall-alert', 'No active alerts');
  for (const [chat, minutes] of [
    ['warned', 9],
    ['late', 15],
    ['latest', 40],
    ['later', 20],
  ])
    await hub.says(chat, 'hello', ago(minutes, 'sales'));
  await text(page, '.wall-alert[data-urgency=late]', /^Waiting: late\s*Contact of latest · Sector sales.*\+3 alerts$/s);
  clean();
});
