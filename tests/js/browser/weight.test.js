/** How much script a page needs before it can be used, as the hub sends it. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, visit } from '../support/dashboard.js';
import { settled } from '../support/still.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const SCRIPT_BYTES_MAX = 175_000;
const PAGES = [
  '/live',
  '/live?wall',
  '/chats',
  '/chats/a',
  '/reports',
  '/settings/agents',
  '/settings/umbler',
  '/status',
];

test('no page needs more than 175 KB of compressed script, in one language, whichever is opened first', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const sent = {};
  for (const path of PAGES) {
    const { page } = await visit(t, browser, hub, '/nowhere', { serviceWorkers: 'block' });
    await page.goto(hub.origin + path);
    await live(page);
    await settled(page);
    const scripts = await page.evaluate(() =>
      performance
        .getEntriesByType('resource')
        .flatMap(({ name, encodedBodySize }) => (name.endsWith('.js') ? [[name, encodedBodySize]] : [])),
    );
    const languages = scripts.filter(([name]) => /\/(en|pt)-[^/]*$/.test(name));
    assert.equal(languages.length, 1, `${path}: ${scripts.join('\n')}`);
    sent[path] = scripts.reduce((all, [, bytes]) => all + bytes, 0);
    await page.context().close();
  }
  t.diagnostic(JSON.stringify(sent));
  assert.deepEqual(
    Object.entries(sent).filter(([, bytes]) => bytes > SCRIPT_BYTES_MAX),
    [],
  );
});
