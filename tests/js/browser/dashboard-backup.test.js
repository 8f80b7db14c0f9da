/** An admin is told on every page that the backup on another machine is too old, or behind. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, healthAs, NO_WORKER, signedIn, spawnDashboard, text } from '../support/dashboard.js';
import { JWT_SECRET } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/** A hub whose bucket cannot be reached. Nobody listens on the port of discarded bytes. */
const SETTINGS = {
  JWT_SECRET,
  // Moments below are told on the days of this zone.
  TIMEZONE: 'America/Sao_Paulo',
  BACKUP_S3_URL: 'http://127.0.0.1:9/shop/hub',
  BACKUP_S3_KEY_ID: 'hub',
  BACKUP_S3_SECRET: 'secret',
};

/** Hours pass until a real hub says so: what it says is as it would be then. */
const says = (page, backup) =>
  healthAs(page, (answer) => {
    assert.equal(answer.backup, 'starting');
    return { ...answer, ...backup };
  });

const OLD = { backup: 'old', backupTakenAt: '2026-03-01T15:00:00Z' };
const BEHIND = { ...OLD, backup: 'behind', backupCoveredUntil: '2026-03-03T18:30:00Z' };

const CASES = [
  ['en-US', OLD, /too old: the newest full copy is of .*Mar 1, 2026/, 'See Status'],
  ['en-US', { backup: 'old' }, /There is still no full copy on another machine/, 'See Status'],
  ['en-US', BEHIND, /Nothing that came after .*Mar 3, 2026.* is backed up/, 'See Status'],
  ['pt-BR', OLD, /muito antigo: a última cópia completa é de .*1 de mar/, 'Ver Status'],
  ['pt-BR', BEHIND, /Nada do que chegou depois de .*3 de mar/, 'Ver Status'],
];

for (const [locale, state, wanted, link] of CASES) {
  test(`in ${locale} an admin is told of a backup that is ${state.backup}: ${wanted.source.slice(0, 24)}`, async (t) => {
    const hub = await spawnDashboard(t, dashboard, SETTINGS);
    const { page, clean } = await signedIn(
      t,
      browser,
      hub,
      '/live',
      { sub: 'ana', role: 'admin' },
      { ...NO_WORKER, locale },
    );
    await says(page, state);
    await page.reload();
    await text(page, '.banner[role=alert]', wanted);
    assert.deepEqual(await axe(page), []);
    await page.goto(`${hub.origin}/chats`);
    await page.getByRole('link', { name: link }).click();
    await page.waitForURL('**/status');
    await text(page, '.facts [data-bad]', /./);
    clean();
  });
}

test('an agent, the wall and an admin whose backup is well are told nothing of it', async (t) => {
  const hub = await spawnDashboard(t, dashboard, SETTINGS);
  for (const [role, path, state] of [
    ['agent', '/live', OLD],
    ['admin', '/live?wall', OLD],
    ['admin', '/live', { backup: 'ok' }],
  ]) {
    const { page, clean } = await signedIn(t, browser, hub, '/live', { sub: role, role }, NO_WORKER);
    await says(page, state);
    const read = page.waitForResponse('**/health');
    await page.goto(hub.origin + path);
    await read;
    // A message that is shown later proves that nothing else was to come.
    const sent = hub.says('a', 'hello');
    await Promise.all([sent, page.waitForFunction(() => document.body.textContent.includes('Contact of a'))]);
    assert.equal(await page.locator('.banner').count(), 0, `${role} ${path}`);
    clean();
  }
});
