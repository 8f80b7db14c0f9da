/** The dashboard in real Chromium, served by the real hub. */

import assert from 'node:assert/strict';
import { rename } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import {
  askedFor,
  axe,
  buildDashboard,
  live,
  sentTo,
  signedIn,
  spawnDashboard,
  text,
  visit,
} from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const PHONE = { viewport: { width: 360, height: 740 } };
const MINUTE_MS = 60_000;

/** A customer who wrote a while ago. */
const ago = (minutes) => (delivery, content) => {
  const at = new Date(Date.now() - minutes * MINUTE_MS).toISOString();
  delivery.EventDate = content.LastMessage.EventAtUTC = at;
};

const tile = (page, name) => page.locator(`.tile[data-name=${name}] .value`);
const says = (page, name, wanted) => text(page, `.tile[data-name=${name}] .value`, new RegExp(`^${wanted}$`));

test("a customer's message is on every page at once, and the chat can be read as it grows", async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  await says(page, 'open', 0);
  await text(page, '.queue', 'Nobody is waiting');
  await hub.says('a', 'good morning');
  await says(page, 'open', 1);
  await says(page, 'unanswered', 1);
  await says(page, 'today', 1);
  await text(page, '.traffic tbody tr:last-child td:nth-child(2)', /^1$/);
  await text(page, '.freshness', 'phone to screen');
  await page
    .getByRole('link', { name: /Contact of a/ })
    .first()
    .click();
  await text(page, '.message', 'good morning');
  await hub.says('a', 'is anybody there?');
  await text(page, '.message:last-child', 'is anybody there?');
  await text(page, '.list .chat', 'is anybody there?');
  const talk = page.locator('.conversation .talk');
  assert.equal(await talk.getAttribute('href'), 'https://app-utalk.umbler.com/chats/a');
  assert.equal(await talk.getAttribute('rel'), 'noopener noreferrer');
  clean();
});

test('a wait ticks by itself: the hub is asked nothing', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('early', 'hello?', ago(20));
  await hub.says('later', 'hello', ago(7));
  const { page, log } = await visit(t, browser, hub, '/live');
  await text(page, '.tile[data-name=longest][data-urgency=late] .value', /^[2-5]\d:/);
  await text(page, '.traffic table', 'Customers');
  assert.deepEqual(await page.locator('.waiting').evaluateAll((rows) => rows.map((row) => row.dataset.urgency)), [
    'late',
    'attention',
  ]);
  const before = [sentTo(log).length, askedFor(log).length];
  const shown = await tile(page, 'longest').textContent();
  await page.waitForFunction(
    (old) => document.querySelector('.tile[data-name=longest] .value')?.textContent !== old,
    shown,
  );
  assert.deepEqual([sentTo(log).length, askedFor(log).length], before);
});

test('numbers change and nothing moves', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('first', 'one');
  const { page } = await visit(t, browser, hub, '/live');
  await says(page, 'open', 1);
  await text(page, '.traffic table', 'Customers');
  const places = () =>
    page
      .locator('.tile, .tile .value, .queue')
      .evaluateAll((all) => all.map((one) => JSON.stringify(one.getBoundingClientRect())));
  const before = await places();
  for (let index = 0; index < 12; index += 1) await hub.says(`chat ${index}`, 'one more', ago(index * 100));
  await says(page, 'open', 13);
  await says(page, 'today', '\\d+');
  assert.deepEqual(await places(), before);
});

test('a hub that was killed comes back with what was missed', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'before');
  const { page } = await visit(t, browser, hub, '/live');
  await says(page, 'open', 1);
  await hub.kill();
  await text(page, '.freshness', 'Reconnecting');
  await text(page, '.freshness', 'Out of date');
  await text(page, '.banner', /as of \d+ (s|min) ago/);
  await says(page, 'open', 1);
  await hub.start();
  await hub.says('b', 'after');
  await live(page);
  await says(page, 'open', 2);
  assert.equal(await page.locator('.banner').count(), 0);
});

test('a hub that cannot store says so on the screen', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'before');
  const { page } = await visit(t, browser, hub, '/live');
  await says(page, 'open', 1);
  await rename(join(hub.home, 'hub.db'), join(hub.home, 'away.db'));
  await assert.rejects(hub.says('b', 'refused'), /503/);
  await text(page, '.banner', 'cannot store deliveries');
  await page.getByRole('link', { name: 'Status' }).click();
  await text(page, '.facts [data-bad]', 'Cannot store');
});

test('signing in: a wrong token is refused, a right one is kept for the tab, and leaving takes it away', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  const { page, clean } = await visit(t, browser, hub, '/live');
  await page.getByLabel('Token', { exact: true }).waitFor();
  assert.deepEqual(await axe(page), []);
  await page.getByLabel('Token', { exact: true }).fill('nonsense');
  await page.getByRole('button', { name: 'Sign in' }).click();
  await text(page, '[role=alert]', 'The hub refused it');
  await page.getByLabel('Token', { exact: true }).fill(token({ name: 'Ana Lima' }));
  await page.getByRole('button', { name: 'Sign in' }).click();
  await text(page, '.who', 'Ana Lima Admin');
  await says(page, 'open', 0);
  await page.reload();
  await text(page, '.who', 'Ana Lima');
  await page.getByRole('button', { name: 'Sign out' }).click();
  await page.getByLabel('Token', { exact: true }).waitFor();
  assert.equal(await page.evaluate(() => JSON.stringify(sessionStorage).includes('eyJ')), false);
  clean();
});

test('a viewer sees masked names and no texts, and is told why', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  await hub.says('a', 'a secret', (_, content) => (content.Contact.Name = 'Marina'));
  const { page } = await signedIn(t, browser, hub, '/chats/a', { sub: 'eve', role: 'viewer' });
  await text(page, '.message', 'Text hidden for your role');
  await text(page, '.list .name', 'M•••');
  assert.equal((await page.content()).includes('a secret'), false);
  assert.ok(await page.getByLabel('Your role cannot search').isDisabled());
});

test('a token that is limited to a sector sees its chats alone, in the numbers too', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  const sector = (Id, Name) => (_, content) => (content.Sector = { Id, Name });
  await hub.says('mine', 'hello', sector('sales', 'Sales'));
  await hub.says('theirs', 'hello', sector('support', 'Support'));
  const { page } = await signedIn(t, browser, hub, '/live', { role: 'agent', sectors: ['sales'] });
  await says(page, 'open', 1);
  await text(page, '.groups', 'Sales');
  assert.equal((await page.content()).includes('Contact of theirs'), false);
  await hub.says('mine', 'moved', sector('support', 'Support'));
  await says(page, 'open', 0);
});

test('colleagues who look at the same chat see each other', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  await hub.says('a', 'hello');
  const ana = await signedIn(t, browser, hub, '/chats/a', { sub: 'ana', name: 'Ana' });
  await text(ana.page, '.message', 'hello');
  const rui = await signedIn(t, browser, hub, '/chats/a', { sub: 'rui', name: 'Rui' });
  await text(ana.page, '.others', 'Also looking at this chat: Rui');
  await text(rui.page, '.others', 'Ana');
  await rui.page.getByRole('link', { name: 'Live' }).click();
  await ana.page.locator('.others').waitFor({ state: 'hidden' });
});

test('every page on demo data: no barrier in either theme or language, and no sideways scrolling on a phone', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.run('simulate', '--url', hub.origin, '--rate', '0', '--count', '400', '--seed', '7');
  const { chats } = await hub.json('/api/umbler/chats?status=open&limit=3');
  const pages = [
    '/live',
    '/chats',
    '/chats?search=pedido&in=messages',
    `/chats/${chats[0].id}`,
    '/reports',
    '/reports?period=week&by=sectors',
    '/settings',
    '/settings/rules',
    '/status',
    '/live?wall',
    '/nowhere',
  ];
  for (const options of [
    { colorScheme: 'light' },
    { colorScheme: 'dark', locale: 'pt-BR' },
    { ...PHONE, locale: 'pt-BR' },
  ]) {
    for (const path of pages) {
      const { page, clean } = await visit(t, browser, hub, path, options);
      await live(page);
      await page.waitForFunction(() => !document.querySelector('[aria-busy=true], .mantine-Skeleton-root'));
      assert.deepEqual(await axe(page), [], `${path} ${JSON.stringify(options)}`);
      const [inner, outer] = await page.evaluate(() => [document.documentElement.scrollWidth, window.innerWidth]);
      assert.ok(inner <= outer, `${path} is ${inner} wide on ${outer}`);
      assert.equal(await page.locator('html').getAttribute('lang'), options.locale === 'pt-BR' ? 'pt-BR' : 'en');
      clean();
      await page.context().close();
    }
  }
});

test('the health page tells deliveries by type, duplicates, and why some were not understood', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const odd = { EventId: 'odd', Type: 'SomethingNew', EventDate: new Date().toISOString(), Payload: {} };
  await hub.post(odd);
  await hub.post(odd);
  const { page, clean } = await visit(t, browser, hub, '/status');
  await says(page, 'accepted', 2);
  await says(page, 'duplicates', 1);
  await says(page, 'undecodable', 1);
  await text(page, '.reasons tr', /SomethingNew.*is not known/);
  await text(page, '.facts', 'OK');
  await hub.says('a', 'again');
  await says(page, 'accepted', 3);
  clean();
});

test('addresses of pages lead to the dashboard; what programs ask for, or an older build had, does not', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const ask = async (path) => {
    const { status, headers } = await fetch(hub.origin + path);
    return [status, headers.get('content-type')?.split(';')[0], headers.get('cache-control')];
  };
  for (const path of ['/', '/live', '/chats/a', '/status'])
    assert.deepEqual(await ask(path), [200, 'text/html', 'no-cache'], path);
  for (const path of ['/api/nothing', '/api/umbler/nothing', '/assets/gone.js']) {
    assert.deepEqual((await ask(path)).slice(0, 2), [404, 'application/json'], path);
  }
  for (const path of ['/health', '/api/umbler/stats']) assert.equal((await ask(path))[1], 'application/json', path);
  assert.equal((await ask('/console'))[1], 'text/html');
});
