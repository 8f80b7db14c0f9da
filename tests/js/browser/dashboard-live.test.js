/** The live page beside what is usual: the day's messages, and how its numbers moved. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { askedFor, axe, buildDashboard, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';
import { hourIn } from '../support/zone.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const HOUR_MS = 3_600_000;
/** What happened some hours ago did so before this, however long the tests take. */
const BEGUN = Date.now();
const ago =
  (hours, more = () => {}) =>
  (delivery, content) => {
    const at = new Date(BEGUN - hours * HOUR_MS).toISOString();
    delivery.EventDate = content.CreatedAtUTC = content.LastMessage.EventAtUTC = at;
    more(delivery, content);
  };
const group = (_, content) => (content.Contact.ContactType = 'Group');
const WEEK = 7 * 24;

/** What the table says of the hour that was so many hours ago: customers, team, others, usual. */
async function hour(hub, page, hours) {
  const ofDay = Number(hourIn(hub.settings.TIMEZONE, BEGUN - hours * HOUR_MS));
  const name = new RegExp(`^${ofDay % 12 || 12}\\s${ofDay < 12 ? 'AM' : 'PM'}`);
  const row = page.locator('.traffic tbody tr').filter({ has: page.locator('th', { hasText: name }) });
  return row.locator('td').allInnerTexts();
}

test("the day's messages stand beside the usual ones: the median of the weeks that had messages, and they count on", async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (const [weeks, count] of [
    [1, 1],
    [2, 3],
    [4, 8],
  ]) {
    for (let left = count; left > 0; left -= 1) await hub.says(`of-${weeks}-${left}`, 'hello', ago(weeks * WEEK + 2));
  }
  // Another day of the week is not usual for this one.
  await hub.says('other-day', 'hello', ago(WEEK + 24 + 2));
  await hub.says('a', 'hello', ago(2));
  await hub.says('b', 'hello', ago(2));
  const { page, clean } = await visit(t, browser, hub, '/live');
  await text(page, '.traffic', 'compared with the usual day');
  assert.deepEqual(await hour(hub, page, 2), ['2', '0', '0', '3', '–']);
  await text(page, '.traffic .soFar', /: 2, usually 3 \(−33%\)$/);
  await hub.says('c', 'late, of the hour before last', ago(2));
  await text(page, '.traffic .soFar', /: 3, usually 3 \(=\)$/);
  await hub.says('group', 'not a direct one', ago(2, group));
  await hub.says('d', 'now');
  await page.waitForFunction(() =>
    [...document.querySelectorAll('.traffic tbody tr')].some(
      (row) => row.textContent.includes('in progress') && row.cells[1].textContent === '1',
    ),
  );
  assert.deepEqual(await hour(hub, page, 2), ['3', '0', '0', '3', '–']);
  // The tile says what the chart and the reports say, and what usually came until now.
  await hub.says('d', 'a note', (_, content) =>
    Object.assign(content.LastMessage, { IsPrivate: true, Source: 'Member' }),
  );
  await text(page, '.tile[data-name=today] .value', /^4$/);
  await text(page, '.tile[data-name=today] .hint', /^usually 3 so far$/);
  await page.reload();
  await text(page, '.tile[data-name=today] .value', /^4$/);
  await text(page, '.traffic .soFar', /: 3, usually 3 \(=\)$/);
  assert.deepEqual(await hour(hub, page, 2), ['3', '0', '0', '3', '–']);
  assert.deepEqual(await axe(page), []);
  // A bar of today does not cover it.
  const isOver = await page.evaluate(() => {
    const [line, bar] = ['.usual', '.stack'].map((part) => document.querySelector(`.traffic ${part}`));
    return (bar.compareDocumentPosition(line) & Node.DOCUMENT_POSITION_FOLLOWING) !== 0;
  });
  assert.ok(isOver);
  clean();
});

test('one day is not usual: the page says so, and draws none', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('before', 'hello', ago(WEEK + 2));
  await hub.says('a', 'hello', ago(2));
  const { page, clean } = await visit(t, browser, hub, '/live');
  await text(page, '.traffic', 'There is no usual day to compare with yet');
  await text(page, '.traffic .soFar', 'So far: 1');
  assert.equal(await page.locator('.traffic .usual, .traffic [data-usual]').count(), 0);
  clean();
});

test('a token that is limited to a sector counts the messages of its chats alone', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  const sector = (Id) => (_, content) => (content.Sector = { Id, Name: Id });
  await hub.says('mine', 'hello', ago(2, sector('sales')));
  await hub.says('theirs', 'hello', ago(2, sector('support')));
  const { page } = await visit(t, browser, hub, '/live');
  await page.evaluate(
    (value) => sessionStorage.setItem('umbler-hub-token', value),
    token({ role: 'agent', sectors: ['sales'] }),
  );
  await page.reload();
  await text(page, '.traffic .soFar', 'So far: 1');
  await hub.says('theirs', 'more', ago(2, sector('support')));
  await hub.says('mine', 'more', ago(2, sector('sales')));
  await text(page, '.traffic .soFar', 'So far: 2');
});

test('numbers and tables come pushed: nothing is asked for again while they change', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const owner = (Id, sector) => (_, content) => {
    content.OrganizationMember = { Id };
    content.Sector = { Id: sector, Name: `Sector ${sector}` };
  };
  await hub.says('a', 'hello', owner('agent-1', 'sales'));
  const { page, log, clean } = await visit(t, browser, hub, '/live');
  const row = (name) => page.locator('.groups tbody tr').filter({ hasText: name });
  await row('Sector sales').waitFor();
  await text(page, '.traffic .soFar', 'So far: 1');
  await page.locator('.tile[data-name=open] .trend').waitFor();
  const before = askedFor(log).length;
  await hub.says('b', 'hello', owner('agent-1', 'support'));
  await hub.says('c', 'hello', owner('agent-2', 'support'));
  await text(page, '.tile[data-name=open] .value', /^3$/);
  await row('Sector support').filter({ hasText: /2\s*2/ }).waitFor();
  await row('No name (agent-1)').filter({ hasText: /2\s*2/ }).waitFor();
  await hub.says('a', 'moved', owner('agent-2', 'support'));
  await row('Sector sales').waitFor({ state: 'detached' });
  await row('No name (agent-2)').filter({ hasText: /2\s*2/ }).waitFor();
  assert.deepEqual(askedFor(log).slice(before), []);
  clean();
});

test('the trend of the day is that of the hub, and older than this screen', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', ago(3));
  await hub.says('b', 'hello', ago(2));
  const { page, clean } = await visit(t, browser, hub, '/live');
  await text(page, '.tile[data-name=open] .trend', '+2');
  const { rows } = await hub.json('/api/umbler/metrics/trend');
  assert.deepEqual([rows[0].open, rows.at(-1).open], [0, 2]);
  await hub.says('c', 'hello');
  await text(page, '.tile[data-name=open] .trend', '+3');
  clean();
});

test('at a hundred messages a second the page goes on drawing, and ends at the right number', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('first', 'hello');
  const { page, clean } = await visit(t, browser, hub, '/live');
  await text(page, '.tile[data-name=open] .value', /^1$/);
  await page.evaluate(() => {
    [window.drawn, window.longest] = [0, 0];
    let last = performance.now();
    const frame = (now) => {
      window.drawn += 1;
      window.longest = Math.max(window.longest, now - last);
      last = now;
      requestAnimationFrame(frame);
    };
    requestAnimationFrame(frame);
  });
  await hub.run('simulate', '--url', hub.origin, '--rate', '100', '--count', '400', '--seed', '3');
  const { openChats } = await hub.json('/api/umbler/stats');
  await text(page, '.tile[data-name=open] .value', new RegExp(`^${openChats}$`));
  const [frames, longest] = await page.evaluate(() => [window.drawn, window.longest]);
  assert.ok(frames > 0);
  // How long depends on what else the machine does, so it is told and not judged.
  t.diagnostic(`${frames} frames, the longest of ${Math.round(longest)} ms`);
  clean();
});
