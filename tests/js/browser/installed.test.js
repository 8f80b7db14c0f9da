/** The dashboard as an app: installable, honest without a hub, new after an upgrade, and heard of beside the browser. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { cp, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { createServer, request as ask } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import pixelmatch from 'pixelmatch';
import UPNG from 'upng-js';

import { launch, openPage } from '../support/browser.js';
import { axe, buildDashboard, live, NO_WORKER, spawnDashboard, text, visit } from '../support/dashboard.js';
import { atEnd } from '../support/end.js';
import { isUpdate } from '../support/pictures.js';

const ICONS = join(import.meta.dirname, '../../../frontend/public/icons');
/** Each picture of the icon, the drawing that it is made of, and its size. */
const DRAWN = [
  ['icon-192.png', 'icon.svg', 192],
  ['icon-512.png', 'icon.svg', 512],
  ['maskable-512.png', 'maskable.svg', 512],
  ['apple-touch-icon.png', 'maskable.svg', 180],
];

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const MINUTE_MS = 60_000;
const late = (delivery, content) => {
  delivery.EventDate = content.LastMessage.EventAtUTC = new Date(Date.now() - 20 * MINUTE_MS).toISOString();
};

/** The worker controls the page. */
const controlled = (page) => page.waitForFunction(() => navigator.serviceWorker.controller !== null);

/** Waits until what is asked of the browser again and again is this. Playwright's own waiting takes a promise for a yes. */
async function keeps(page, ask, wanted) {
  const until = Date.now() + 40_000;
  let found;
  do found = String(await page.evaluate(ask));
  while (found !== wanted && Date.now() < until);
  assert.equal(found, wanted);
}

const shows = (page, count) =>
  keeps(page, async () => (await (await navigator.serviceWorker.ready).getNotifications()).length, String(count));

async function setThresholds(hub) {
  const names = ['waitingWarn', 'waiting', 'idle', 'firstResponseNear', 'firstResponse', 'windowClosing'];
  const off = Object.fromEntries(names.map((name) => [`${name}Seconds`, null]));
  const response = await fetch(`${hub.origin}/api/umbler/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ businessHours: {}, thresholds: { default: { ...off, waitingSeconds: 60 }, sectors: {} } }),
  });
  assert.equal(response.status, 200, await response.text());
}

test('the pictures of the icon are those of its drawing', async (t) => {
  for (const [name, drawing, size] of DRAWN) {
    const svg = await readFile(join(ICONS, drawing), 'utf8');
    const { page } = await openPage(t, browser, { viewport: { width: size, height: size } });
    await page.setContent(`<style>*{margin:0}svg{display:block;width:${size}px;height:${size}px}</style>${svg}`);
    const shot = await page.screenshot({ omitBackground: true });
    if (isUpdate) await writeFile(join(ICONS, name), shot);
    const [drawn, kept] = [shot, await readFile(join(ICONS, name))].map((png) => UPNG.decode(png));
    assert.deepEqual([kept.width, kept.height], [size, size], name);
    const pixels = [drawn, kept].map((image) => new Uint8Array(UPNG.toRGBA8(image)[0]));
    // Soft edges differ between browsers, shapes do not.
    assert.ok(pixelmatch(...pixels, null, size, size, { threshold: 0.3 }) < size, `${name}: SCREENS=update draws it`);
  }
});

test('the dashboard can be installed: its manifest is whole, and the hub serves what it names', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  const session = await page.context().newCDPSession(page);
  const { url, errors, data } = await session.send('Page.getAppManifest');
  assert.equal(url, `${hub.origin}/manifest.webmanifest`);
  assert.deepEqual(errors, []);
  await controlled(page);
  // Playwright's pages are private windows, in which no browser installs anything; nothing else is in the way.
  const { installabilityErrors } = await session.send('Page.getInstallabilityErrors');
  assert.deepEqual(
    installabilityErrors.map(({ errorId }) => errorId).filter((id) => id !== 'in-incognito'),
    [],
  );
  for (const { src, type } of JSON.parse(data).icons) {
    const answer = await fetch(hub.origin + src);
    assert.equal(answer.status, 200, src);
    assert.equal(answer.headers.get('content-type'), type);
  }
  const answer = await fetch(url);
  assert.equal(answer.headers.get('content-type'), 'application/manifest+json');
  assert.equal(answer.headers.get('cache-control'), 'no-cache');
  clean();
});

test('opened without a hub, the app says so in words and shows no number, and comes back by itself', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page } = await visit(t, browser, hub, '/live', { viewport: { width: 390, height: 844 } });
  await live(page);
  await controlled(page);
  await hub.kill();
  await page.goto(`${hub.origin}/chats?search=maria`);
  await text(page, 'h1', 'No connection to the hub');
  const seen = await page.locator('body').innerText();
  assert.doesNotMatch(seen, /\d|Contact of a|Sem conexão/);
  // In the letters of all other pages, which the worker has kept too.
  const faces = await page.evaluate(async () => {
    await document.fonts.ready;
    return [...document.fonts].map(({ family, status }) => [family.replaceAll('"', ''), status]);
  });
  assert.deepEqual(faces, [['Inter Variable', 'loaded']]);
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: 'Try now' }).click();
  await text(page, 'section[lang=en] [role=status]', 'Still no answer at');
  await hub.start();
  await live(page);
  assert.equal(page.url(), `${hub.origin}/chats?search=maria`);
  await text(page, 'main', 'Chats');
});

test('without a hub, the app says so in the language and theme that were chosen', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page } = await visit(t, browser, hub, '/live', { colorScheme: 'light' });
  await live(page);
  await controlled(page);
  await page.evaluate(() => {
    localStorage.setItem('umbler-hub-language', 'pt-BR');
    localStorage.setItem('mantine-color-scheme-value', 'dark');
  });
  await hub.kill();
  await page.reload();
  await text(page, 'h1', 'Sem conexão com o hub');
  assert.equal(
    await page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor),
    'rgb(13, 15, 19)',
  );
  assert.deepEqual(await axe(page), []);
});

test('a proxy whose hub is away is a hub that is away; an error of the hub itself is shown as it is', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  let refusal = null;
  const proxy = createServer((request, response) => {
    if (refusal !== null) return response.writeHead(refusal, { 'content-type': 'text/plain' }).end(`error ${refusal}`);
    const { port } = new URL(hub.origin);
    const onward = ask({ port, path: request.url, headers: request.headers }, (answer) => {
      response.writeHead(answer.statusCode, answer.headers);
      answer.pipe(response);
    });
    onward.on('error', () => response.writeHead(502).end());
    request.pipe(onward);
  }).listen(0, '127.0.0.1');
  await once(proxy, 'listening');
  atEnd(t, () => {
    proxy.closeAllConnections();
    proxy.close();
  });
  const origin = `http://127.0.0.1:${proxy.address().port}`;
  const { page } = await openPage(t, browser, { locale: 'en-US' });
  await page.goto(`${origin}/live`);
  await controlled(page);
  for (const status of [502, 503, 504]) {
    refusal = status;
    await page.goto(`${origin}/live`);
    await text(page, 'h1', 'No connection to the hub');
  }
  refusal = 500;
  await page.goto(`${origin}/live`);
  await text(page, 'body', 'error 500');
});

test('after an upgrade the next look shows the new build, and a page of the old one finds its way', async (t) => {
  const folder = await mkdtemp(join(tmpdir(), 'umbler-hub-upgrade-'));
  atEnd(t, () => rm(folder, { recursive: true, force: true }));
  await cp(dashboard.folder, folder, { recursive: true });
  const hub = await spawnDashboard(t, { folder });
  const { page, log } = await visit(t, browser, hub, '/live');
  await live(page);
  await controlled(page);
  await page.evaluate(() => (window.isOld = true));
  // Every file of the new build has another name, and those of the old one are gone.
  const names = await readdir(join(folder, 'assets'));
  const anew = (source) =>
    names
      .filter((name) => /\.(js|css)$/.test(name))
      .reduce((text, name) => text.replaceAll(name, `new-${name}`), source);
  for (const name of names) {
    const path = join(folder, 'assets', name);
    // Compressed copies go with the files that they are of.
    if (/\.(br|gz)$/.test(name)) await rm(path);
    if (!/\.(js|css)$/.test(name)) continue;
    await writeFile(join(folder, 'assets', `new-${name}`), anew(await readFile(path, 'utf8')));
    await rm(path);
  }
  for (const name of ['index.html', ...(await readdir(join(folder, 'pages'))).map((page) => join('pages', page))])
    await writeFile(join(folder, name), anew(await readFile(join(folder, name), 'utf8')));
  log.requests.length = 0;
  await page.getByRole('link', { name: 'Settings', exact: true }).click();
  await text(page, 'main', 'Agents');
  assert.equal(await page.evaluate(() => window.isOld), undefined);
  assert.ok(log.requests.some((url) => url.includes('/assets/new-')));
  assert.ok(page.url().includes('/settings'));
  // The worker of the new build takes the place of the old one without a second look.
  const change = async (name, from, to) => {
    const path = join(folder, name);
    await writeFile(path, (await readFile(path, 'utf8')).replace(from, to));
  };
  await change('offline.html', 'No connection', 'No way');
  await change('sw.js', /(VERSION = ')\w+/, '$1another');
  await page.reload();
  await keeps(page, () => caches.keys(), 'offline-another');
  await hub.kill();
  await page.reload();
  await text(page, 'h1', 'No way to the hub');
});

test('a part of the page whose file does not come says so, and the numbers stay', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page } = await visit(t, browser, hub, '/live', NO_WORKER);
  await page.route('**/assets/KeyHelp*', (route) => route.abort());
  const failed = page.locator('[role=alert]', { hasText: 'Could not load' });
  // The page is loaded anew once, since it might be of an older build.
  await live(page);
  await Promise.all([page.waitForEvent('load'), page.keyboard.press('?')]);
  await live(page);
  await page.keyboard.press('?');
  await failed.waitFor();
  await text(page, '.tile[data-name=open] .value', /^1$/);
  await page.keyboard.press('Control+k');
  await page.getByRole('combobox').waitFor();
});

test('an alert is told once beside the browser, however many tabs are open, a click opens its chat, and it goes with its alert or its person', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await setThresholds(hub);
  const { page, clean } = await visit(t, browser, hub, '/live', { permissions: ['notifications'] });
  await live(page);
  await controlled(page);
  const shown = (one) =>
    one.evaluate(async () => {
      const worker = await navigator.serviceWorker.ready;
      return (await worker.getNotifications()).map(({ title, body }) => `${title} | ${body}`);
    });
  const toggle = page.getByRole('button', { name: 'Desktop notifications of alerts' });
  assert.equal(await toggle.getAttribute('aria-pressed'), 'false');
  await hub.says('quiet', 'hello', late);
  await text(page, '.alert', 'Contact of quiet');
  assert.deepEqual(await shown(page), []);
  await toggle.click();
  await page.waitForFunction(() => document.querySelector('.notify').getAttribute('aria-pressed') === 'true');
  const context = page.context();
  const other = await context.newPage();
  await other.goto(`${hub.origin}/live`);
  await live(other);
  assert.equal(await other.locator('.notify').getAttribute('aria-pressed'), 'true');
  // Each showing is counted where it is asked for, in both tabs.
  for (const one of [page, other])
    await one.evaluate(() => {
      window.told = 0;
      const { showNotification } = ServiceWorkerRegistration.prototype;
      ServiceWorkerRegistration.prototype.showNotification = function (...given) {
        window.told += 1;
        return showNotification.apply(this, given);
      };
      window.taken = [];
      const { close } = Notification.prototype;
      Notification.prototype.close = function () {
        window.taken.push(this.title);
        close.call(this);
      };
    });
  for (const chat of ['b', 'c', 'd']) await hub.says(chat, 'hello', late);
  for (const one of [page, other]) for (const chat of ['b', 'c', 'd']) await text(one, '.alert', `Contact of ${chat}`);
  await shows(page, 3);
  assert.match((await shown(page)).toSorted()[0], /^Waiting: late · Contact of b \| /);
  const told = await Promise.all([page, other].map((one) => one.evaluate(() => window.told)));
  assert.equal(told[0] + told[1], 3);
  // As the desktop tells the worker of a click.
  const [worker] = context.serviceWorkers();
  await worker.evaluate(async () => {
    const notification = (await self.registration.getNotifications()).find(({ title }) =>
      title.endsWith('Contact of c'),
    );
    self.dispatchEvent(new self.NotificationEvent('notificationclick', { notification }));
  });
  await Promise.any([page, other].map((one) => one.waitForURL(`${hub.origin}/chats/c`)));
  await shows(page, 2);
  // Whoever takes an alert takes its notification away, wherever it is shown.
  const { alerts } = await hub.json('/api/umbler/alerts?state=active&chatId=b');
  await fetch(`${hub.origin}/api/umbler/alerts/${alerts[0].id}/acknowledge`, { method: 'POST' });
  await shows(page, 1);
  // It holds a name. Whoever is erased goes from there, too, though the alert stays.
  const { chat } = await hub.json('/api/umbler/chats/d');
  const erase = `/api/umbler/contacts/${chat.contactId}/personal-data?reason=on+request`;
  assert.equal((await fetch(hub.origin + erase, { method: 'DELETE' })).status, 200);
  const closed = () => window.taken.some((title) => title.endsWith('Contact of d'));
  await Promise.any([page, other].map((one) => one.waitForFunction(closed)));
  await shows(page, 0);
  assert.equal((await hub.json('/api/umbler/alerts?state=active&chatId=d')).alerts.length, 1);
  clean();
});

test('whoever denies notifications, or has none, is told what to do', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const seen = async (prepare) => {
    const { page, clean } = await visit(t, browser, hub, '/nowhere');
    await page.addInitScript(prepare);
    await page.goto(`${hub.origin}/live`);
    await live(page);
    await page.getByRole('button', { name: 'Desktop notifications of alerts' }).click();
    await page.locator('.hurdle').waitFor();
    assert.deepEqual(await axe(page), []);
    assert.equal(await page.locator('.notify').getAttribute('aria-pressed'), 'false');
    const said = await page.locator('.hurdle').innerText();
    await page.locator('.hurdle button').click();
    await page.locator('.hurdle').waitFor({ state: 'detached' });
    clean();
    return said;
  };
  assert.match(
    await seen(() => (Notification.requestPermission = async () => 'denied')),
    /blocks notifications from this/,
  );
  assert.match(await seen(() => (Notification.requestPermission = async () => 'default')), /nobody allowed them/);
  assert.match(await seen(() => delete window.Notification), /has no notifications/);
  assert.match(
    await seen(() => Object.defineProperty(window, 'isSecureContext', { value: false })),
    /begins with https/,
  );
});
