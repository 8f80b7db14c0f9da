/** The dashboard as the hub serves it: built anew, so that what is tested is what stands in the source. */

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { openPage } from './browser.js';
import { spawnHub, token } from './hub.js';

export { text } from './browser.js';

const FRONTEND = join(import.meta.dirname, '../../../frontend');
const VITE = join(FRONTEND, 'node_modules/vite/bin/vite.js');
const AXE = join(import.meta.dirname, '../node_modules/axe-core/axe.min.js');

/**
 * Builds into a folder of its own; `remove` takes it away again. Where all tests run, `run.js` has built it for them and says
 * where: nobody changes that folder.
 */
export async function buildDashboard() {
  const built = process.env.DASHBOARD_BUILT;
  if (built) return { folder: built, remove: async () => {} };
  assert.ok(existsSync(VITE), 'run `npm ci` in frontend first');
  const folder = await mkdtemp(join(tmpdir(), 'umbler-hub-dist-'));
  await promisify(execFile)(
    process.execPath,
    [VITE, 'build', '--outDir', folder, '--emptyOutDir', '--logLevel', 'warn'],
    { cwd: FRONTEND },
  );
  return { folder, remove: () => rm(folder, { recursive: true, force: true }) };
}

/** A hub that serves it. */
export function spawnDashboard(t, { folder }, settings = {}) {
  return spawnHub(t, { DASHBOARD_DIR: folder, ...settings });
}

/**
 * A page of it once it is drawn, and a check at the end: no error, and nothing that the content security policy refused. The
 * browser calls a page loaded when its first script has run, and that one only asks for the rest.
 */
export async function visit(t, browser, hub, path, options = {}) {
  const opened = await openPage(t, browser, { locale: 'en-US', viewport: { width: 1280, height: 800 }, ...options });
  await opened.page.goto(hub.origin + path);
  await opened.page.locator('#root > .begin').waitFor({ state: 'detached' });
  opened.clean = () => {
    assert.deepEqual(opened.log.errors, []);
    assert.deepEqual(
      opened.log.console.filter((line) => line.includes('Content Security Policy')),
      [],
    );
  };
  return opened;
}

export const live = (page) => page.locator('[data-status=connected]').waitFor();

/** Two keys, the second without waiting for what the first does: a page waits for it only about a second. */
export const chord = (page, first, second) => Promise.all([page.keyboard.press(first), page.keyboard.press(second)]);

/**
 * What a page has asked the hub for, and sent to it, that some event made it do. Once a minute it reads how the hub is, and
 * where nothing came for half a minute it asks whether the hub is there: on a slow machine both fall into any test.
 */
export const askedFor = ({ requests }) => requests.filter((url) => new URL(url).pathname !== '/health');
export const sentTo = ({ sent }) => sent.filter(({ event }) => event !== 'ping');

/**
 * For a page whose answers a test changes. What a page asks for passes by the test from when a service worker takes the page over,
 * which may be at any time.
 */
export const NO_WORKER = { serviceWorkers: 'block' };

/**
 * `/health` as the hub answers it, and changed on its way to the page. The page asks now and then: where the test ends
 * meanwhile, and the hub with it, nobody gets an answer any more.
 */
export const healthAs = (page, changed) =>
  page.route('**/health', async (route) => {
    const answer = await route.fetch().then(
      (response) => response.json(),
      () => null,
    );
    const told = answer === null ? route.abort() : route.fulfill({ json: changed(answer) });
    await told.catch((error) => {
      if (!page.isClosed()) throw error;
    });
  });

/** A page whose tab holds a token. */
export async function signedIn(t, browser, hub, path, claims, options = {}) {
  const opened = await visit(t, browser, hub, '/live', options);
  await opened.page.evaluate((value) => sessionStorage.setItem('umbler-hub-token', value), token(claims));
  await opened.page.goto(hub.origin + path);
  await live(opened.page);
  return opened;
}

/**
 * What axe finds against WCAG 2.2 AA, in one line each, once the page is drawn: every page has a heading. It describes what
 * passed only as far as it must: that takes long.
 */
export async function axe(page) {
  await page.locator('h1').first().waitFor({ state: 'attached' });
  await page.evaluate(await readFile(AXE, 'utf8'));
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
      resultTypes: ['violations'],
    }),
  );
  return violations.flatMap(({ id, nodes }) =>
    nodes.map(({ html, failureSummary }) => `${id}: ${html} ${failureSummary}`),
  );
}
