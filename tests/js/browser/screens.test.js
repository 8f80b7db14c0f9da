/** How each page looks, in sizes, themes and languages, on a day that is always the same. */

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, healthAs, live, NO_WORKER, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';
import { compare, isDrawnBy, isUpdate, keep } from '../support/pictures.js';
import { NOW, settled, spawnStill, stillClock, visitStill } from '../support/still.js';

const IMAGES = join(import.meta.dirname, '../../../docs/images');

let browser;
let dashboard;
let clock;
let isSame;
before(async () => {
  [browser, dashboard, clock] = await Promise.all([launch(), buildDashboard(), stillClock()]);
  isSame = await isDrawnBy(browser);
});
after(() => Promise.all([browser.close(), dashboard.remove()]));

const SIZES = [
  [1366, 768],
  [1440, 900],
  [1920, 1080],
  [390, 844],
];
/** A wall hangs on televisions, and on nothing that is held in a hand. */
const WALLS = [...SIZES.filter(([width]) => width > 1000), [3840, 2160]];
const LOOKS = [
  { colorScheme: 'light', locale: 'pt-BR' },
  { colorScheme: 'dark', locale: 'en-US' },
  { colorScheme: 'light', locale: 'en-US' },
  { colorScheme: 'dark', locale: 'pt-BR' },
];
const nameOf = (page, [width], { colorScheme, locale }) => `${page}-${width}-${colorScheme}-${locale.slice(0, 2)}`;
/** Without `faketime` the day would be another each time. */
function isStill(t) {
  if (clock === null) t.skip('faketime is not installed');
  return clock !== null;
}

/** What changes from run to run, and from release to release, is told by the test. */
const steadyHealth = (page) =>
  healthAs(page, (answer) => ({ ...answer, version: '1.0.0', uptimeSeconds: 10, sessions: 3 }));

/** What a customer has sent a picture of: a box. */
const PICTURE = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 480 330">
  <rect width="480" height="330" fill="#d9cfc1"/><path d="M90 120 240 70 390 120 240 180Z" fill="#c49a6c"/>
  <path d="M90 120 240 180V290L90 225Z" fill="#a97c50"/><path d="M390 120 240 180V290L390 225Z" fill="#8f6640"/></svg>`;
/** The team may answer. */
const WRITING = { refused: null, windowUntil: null };

/** Nothing but the hub is reached: every picture of a customer is the same. */
async function alone(page, hub) {
  await page.route(
    (url) => url.origin !== hub.origin,
    (route) => route.fulfill({ contentType: 'image/svg+xml', body: PICTURE }),
  );
  await page.route('**/api/umbler/chats/*/outbox', (route) =>
    route.fulfill({ json: { outbox: [], writing: WRITING } }),
  );
  await steadyHealth(page);
}

/** What comes last on a page, and by itself. */
const READY = {
  live: ['.tile[data-name=unassigned] .trend'],
  chat: ['.event'],
  reports: ['.story', { hasText: /slowest|pior hora/ }],
};

const isReply = ({ source, private: isNote, automated }) => source === 'Member' && !isNote && !automated;
const kindOf = ({ type, private: isNote, file }) => (isNote ? 'note' : file?.transcription ? 'transcribed' : type);
const isSeldom = (kind) => !['Text', 'Image', 'Video'].includes(kind);

/** The chat whose newest `count` messages have the most of something; of several chats the first. */
async function mostIn(hub, chats, count, howMany) {
  const counts = await Promise.all(
    chats.map(async ({ id }) => {
      const { messages } = await hub.json(`/api/umbler/chats/${id}/messages?limit=${count}`);
      return howMany(messages);
    }),
  );
  return chats[counts.indexOf(Math.max(...counts))].id;
}

/** One chat is the one with the most replies of those that wait, the longest wait first; the other has many kinds of messages. */
async function pagesOf(hub) {
  const { chats } = await hub.json('/api/umbler/chats?limit=200');
  const direct = chats.filter(({ kind }) => kind === 'direct');
  const waiting = direct
    .filter(({ open, waitingSince }) => open && waitingSince !== null)
    .sort((a, b) => (a.waitingSince < b.waitingSince ? -1 : 1));
  const replied = await mostIn(hub, waiting, 12, (messages) => messages.filter(isReply).length);
  const varied = await mostIn(hub, direct, 7, (messages) => new Set(messages.map(kindOf).filter(isSeldom)).size);
  return {
    live: '/live',
    wall: '/live?wall',
    chats: '/chats',
    chat: `/chats/${replied}`,
    kinds: `/chats/${varied}`,
    reports: '/reports',
    agents: '/settings/agents',
    rules: '/settings/rules',
    status: '/status',
  };
}

test('every page looks as it did, and no part of it is cut, in any size, theme or language', async (t) => {
  if (!isStill(t)) return;
  const hub = await spawnStill(t, dashboard, clock);
  const pages = Object.entries(await pagesOf(hub));
  const wrong = [];
  for (const size of new Set([...SIZES, ...WALLS])) {
    const shown = pages.filter(([name]) => (name === 'wall' ? WALLS : SIZES).includes(size));
    for (const look of LOOKS) wrong.push(...(await lookedAt(t, hub, shown, size, look)));
  }
  if (!isSame) t.diagnostic('pictures are not compared: they are of another version of Chromium');
  assert.deepEqual(wrong, []);
});

/** What is wrong on these pages in one size, theme and language. */
async function lookedAt(t, hub, pages, size, look) {
  const [width, height] = size;
  const opened = await visit(t, browser, hub, '/nowhere', {
    stillAt: Date.parse(NOW),
    viewport: { width, height },
    deviceScaleFactor: 0.5,
    reducedMotion: 'reduce',
    ...NO_WORKER,
    ...look,
  });
  const { page } = opened;
  await alone(page, hub);
  const wrong = [];
  for (const [name, path] of pages) {
    await page.goto(hub.origin + path);
    await live(page);
    await settled(page);
    if (READY[name])
      await page
        .locator(...READY[name])
        .first()
        .waitFor({ state: 'attached' });
    wrong.push(...(await faultsOf(page, nameOf(name, size, look), name === 'live' || name === 'wall')));
    if (isSame) wrong.push(await compare(page, nameOf(name, size, look)));
  }
  opened.clean();
  await page.context().close();
  return wrong.filter(Boolean);
}

test('pages that have nothing, may not, or do not know any more look as they did', async (t) => {
  if (!isStill(t)) return;
  const look = {
    viewport: { width: 1440, height: 900 },
    deviceScaleFactor: 0.5,
    reducedMotion: 'reduce',
    locale: 'pt-BR',
  };
  const wrong = [];
  const see = async (page, name) => {
    wrong.push(...(await faultsOf(page, name, false)));
    if (isSame) wrong.push(await compare(page, name));
  };
  const locked = await spawnDashboard(t, dashboard, {
    ...clock,
    JWT_SECRET,
    ORGANIZATION_NAME: 'Padaria Modelo',
  });
  const { page: signIn } = await visit(t, browser, locked, '/live', {
    ...look,
    ...NO_WORKER,
    stillAt: Date.parse(NOW),
  });
  await signIn.getByLabel('Token', { exact: true }).waitFor();
  await settled(signIn);
  await see(signIn, 'sign-in');
  await signIn.evaluate((value) => sessionStorage.setItem('umbler-hub-token', value), token({ role: 'viewer' }));
  for (const [name, path] of [
    ['denied-rules', '/settings/rules'],
    ['denied-agents', '/settings/agents'],
    ['denied-status', '/status'],
  ]) {
    await alone(signIn, locked);
    await signIn.goto(locked.origin + path);
    await live(signIn);
    await settled(signIn);
    await see(signIn, name);
  }

  const empty = await spawnDashboard(t, dashboard, clock);
  const { page } = await visitStill(t, browser, empty, '/live', { ...look, ...NO_WORKER });
  await alone(page, empty);
  await see(page, 'empty-live');
  for (const [name, path] of [
    ['empty-chats', '/chats'],
    ['empty-reports', '/reports'],
  ]) {
    await page.goto(empty.origin + path);
    await live(page);
    await settled(page);
    await see(page, name);
  }
  await page.goto(`${empty.origin}/live`);
  await live(page);
  await settled(page);
  const { page: wall } = await visitStill(t, browser, empty, '/live?wall', look);
  const { page: away } = await visitStill(t, browser, empty, '/live', look);
  await away.waitForFunction(() => navigator.serviceWorker.controller !== null);
  await empty.kill();
  await away.reload();
  await text(away, 'h1', 'Sem conexão com o hub');
  await see(away, 'offline');
  for (const [name, one] of [
    ['stale-live', page],
    ['stale-wall', wall],
  ]) {
    await text(one, '.freshness', 'Desatualizado');
    await see(one, name);
  }
  assert.deepEqual(wrong.filter(Boolean), []);
});

/** What no picture has to tell: a page that scrolls sideways, text that is cut and does not say the rest, barriers. */
async function faultsOf(page, name, isWhole) {
  const found = await page.evaluate((whole) => {
    const faults = [];
    const { scrollWidth, scrollHeight } = document.documentElement;
    if (scrollWidth > innerWidth) faults.push(`is ${scrollWidth} wide`);
    if (whole && innerWidth > 1300 && scrollHeight > innerHeight) faults.push(`is ${scrollHeight} high`);
    for (const figure of document.querySelectorAll('.figure')) {
      const box = figure.closest('.value').getBoundingClientRect();
      const { width } = figure.getBoundingClientRect();
      if (width > box.width + 1) faults.push(`"${figure.textContent}" runs out of its tile`);
    }
    for (const cut of document.querySelectorAll('body *')) {
      const isCut = cut.scrollWidth > cut.clientWidth && getComputedStyle(cut).textOverflow === 'ellipsis';
      if (isCut && cut.closest('[title]') === null)
        faults.push(`"${cut.textContent}" is cut, and nothing says the rest`);
    }
    return faults;
  }, isWhole);
  return [...found, ...(await axe(page))].map((fault) => `${name}: ${fault}`);
}

test('the pictures of the README are those of the same day', async (t) => {
  if (!isUpdate) return t.skip('SCREENS=update writes them');
  if (!isStill(t)) return;
  const hub = await spawnStill(t, dashboard, clock);
  const pages = await pagesOf(hub);
  for (const [name, path, colorScheme] of [
    ['live-light', pages.live, 'light'],
    ['live-dark', pages.live, 'dark'],
    ['chats', pages.chat, 'light'],
    ['reports', pages.reports, 'light'],
  ]) {
    const { page } = await visitStill(t, browser, hub, path, {
      viewport: { width: 1440, height: 900 },
      locale: 'pt-BR',
      colorScheme,
      ...NO_WORKER,
    });
    await alone(page, hub);
    await page.reload();
    await live(page);
    await settled(page);
    const ready = READY[name.split('-')[0].replace('chats', 'chat')];
    await page
      .locator(...ready)
      .first()
      .waitFor();
    await keep(page, join(IMAGES, `${name}.png`));
  }
});
