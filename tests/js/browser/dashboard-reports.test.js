/** The reports: what they show is what the hub counts, and each number leads to its chats. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const HOUR_MS = 3_600_000;
/** In minutes. */
const DAY = 24 * 60;
/** Minutes ago are counted from here, so that a duration is exact, however slow the machine is. */
const BEGUN = Date.now();
const from = (agent, sector, minutesAgo) => (delivery, content) => {
  const at = new Date(BEGUN - minutesAgo * 60_000).toISOString();
  delivery.EventDate = content.LastMessage.EventAtUTC = at;
  if (minutesAgo >= 30) content.CreatedAtUTC = at;
  content.Sector = { Id: sector, Name: `Sector ${sector}` };
  content.OrganizationMember = { Id: agent };
};
const reply = (agent, sector, minutesAgo) => (delivery, content) => {
  from(agent, sector, minutesAgo)(delivery, content);
  content.LastMessage.Source = 'Member';
  content.LastMessage.SentByOrganizationMember = { Id: agent };
};

/** Two chats: one answered after 5 minutes, one after 20. */
async function aMorning(hub) {
  await hub.says('a', 'hello', from('agent-1', 'sales', 30));
  await hub.says('a', 'yes?', reply('agent-1', 'sales', 25));
  await hub.says('b', 'hello', from('agent-2', 'support', 30));
  await hub.says('b', 'yes?', reply('agent-2', 'support', 10));
}

test('numbers are those of the hub, lead to the chats behind them, and to the chat', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aMorning(hub);
  const { page, clean } = await visit(t, browser, hub, '/reports');
  const { rows } = await hub.json('/api/umbler/metrics/summary?metric=replyTime,messagesIn');
  assert.deepEqual(
    rows.map(({ n }) => n),
    [2, 2],
  );
  await text(page, '[data-metric=replyTime] .big', /^5 min/);
  await text(page, '.tile[data-name=messagesIn] .value', /^2$/);
  await page.getByRole('button', { name: 'All figures' }).click();
  await text(page, '[data-metric=replyTime]', '20 min');
  await page.getByRole('button', { name: /^Reply time: 5 min/ }).click();
  await text(page, '.dialog [role=status]', 'What makes up this number: 2,');
  assert.deepEqual(await page.locator('.behind strong').allInnerTexts(), ['20 min', '5 min']);
  assert.deepEqual(await axe(page), []);
  await page.getByRole('link', { name: 'Contact of b' }).click();
  await text(page, '.message', 'yes?');
  clean();
});

test('how durations are spread: the lengths of the hub, beside the same weekday before, each with its chats', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aMorning(hub);
  for (const [chat, daysAgo] of [
    ['c', 7],
    ['d', 1],
  ]) {
    await hub.says(chat, 'hello', from('agent-1', 'sales', daysAgo * DAY + 30));
    await hub.says(chat, 'yes?', reply('agent-1', 'sales', daysAgo * DAY + 23));
  }
  const { page, clean } = await visit(t, browser, hub, '/reports');
  const bins = page.locator('.distribution tbody tr');
  await page.getByLabel('How long it took: Metric').selectOption('replyTime');
  await text(page, '.distribution[data-metric=replyTime] tfoot', /2/);
  const { rows } = await hub.json('/api/umbler/metrics/distribution?metric=replyTime');
  assert.equal(await bins.count(), rows.length);
  const shown = (await bins.locator('td:nth-child(3)').allInnerTexts()).map(Number);
  assert.deepEqual(
    shown,
    rows.map(({ n }) => n),
  );
  assert.equal(
    shown.reduce((sum, n) => sum + n),
    2,
  );
  // Percentiles stand where they lie.
  await text(page, '.distribution tr[data-from="300000"] .chip', 'Median');
  await text(page, '.distribution tr[data-from="1200000"] .chip', '95% within');
  assert.deepEqual(
    await bins.locator('td:nth-child(5)').allInnerTexts(),
    await page.evaluate(async () => {
      // The same weekday until the same hour, a week before.
      const [earlier] = performance
        .getEntriesByType('resource')
        .map(({ name }) => new URL(name))
        .filter(
          ({ pathname, searchParams }) =>
            pathname.endsWith('/distribution') && searchParams.get('metric') === 'replyTime',
        )
        .sort((a, b) => (a.searchParams.get('from') < b.searchParams.get('from') ? -1 : 1));
      return (await (await fetch(earlier)).json()).rows.map(({ n }) => String(n));
    }),
  );
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: /^Reply time, 20 min – 30 min: 1/ }).click();
  await text(page, '.dialog [role=status]', 'What makes up this number: 1,');
  await text(page, '.behind li', 'Contact of b');
  await page.keyboard.press('Escape');
  assert.deepEqual(await page.locator('.key').allInnerTexts(), ['a week before', 'a week before']);
  await page.getByLabel(/^Compare with the \w+day before$/).click();
  await page.waitForFunction(() => document.querySelectorAll('.distribution thead th').length === 4);
  await page.getByRole('button', { name: 'Yesterday' }).click();
  await text(page, '.distribution tfoot', /1/);
  await page.getByLabel('How long it took: Metric').selectOption('resolution');
  await text(page, '.card', 'No data in this period');
  clean();
});

test('agents are sorted by any column, narrowed to one, and exported with the token that the page has', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  await aMorning(hub);
  const { page, clean } = await visit(t, browser, hub, '/live');
  await page.evaluate((value) => sessionStorage.setItem('umbler-hub-token', value), token({ role: 'supervisor' }));
  await page.goto(`${hub.origin}/reports`);
  await live(page);
  const names = () => page.locator('.sortable tbody th').allInnerTexts();
  await text(page, '.sortable tbody th', 'No name (agent-1)');
  const sorted = (way) => page.locator(`th[aria-sort=${way}]`, { hasText: 'Reply time' }).waitFor();
  await page.getByRole('columnheader', { name: 'Reply time' }).getByRole('button').click();
  await sorted('descending');
  assert.deepEqual(await names(), ['No name (agent-2)', 'No name (agent-1)']);
  await page.getByRole('columnheader', { name: 'Reply time' }).getByRole('button').click();
  await sorted('ascending');
  assert.deepEqual(await names(), ['No name (agent-1)', 'No name (agent-2)']);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
  const csv = Buffer.concat(await (await file.createReadStream()).toArray()).toString();
  assert.match(csv, /^\ufeffid,name,metric,n,medianMs/);
  assert.match(csv, /agent-1,[^\n]*replyTime,1,300\d{3},/);
  await page.getByRole('button', { name: 'No name (agent-2)', exact: true }).click();
  await text(page, '[data-metric=replyTime] .big', /^20 min/);
  assert.match(page.url(), /agent=agent-2/);
  await page.getByRole('button', { name: 'Sectors', exact: true }).click();
  await text(page, '.sortable[data-by=sectors] tbody th', /support/);
  assert.equal(await page.locator('.sortable tbody tr').count(), 1);
  clean();
});

test('with the keyboard alone: to the worst hour of the week, and to what it was made of', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aMorning(hub);
  const { page } = await visit(t, browser, hub, '/reports?period=week');
  const cell = page.locator('.heat button[data-worst]');
  await cell.waitFor();
  const place = Number(await cell.getAttribute('data-rove'));
  await page.locator('.heat [data-rove="0"]').focus();
  for (let day = 0; day < Math.floor(place / 24); day += 1) await page.keyboard.press('ArrowDown');
  for (let hour = 0; hour < place % 24; hour += 1) await page.keyboard.press('ArrowRight');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-rove')), String(place));
  await page.keyboard.press('Enter');
  await text(page, '.dialog h2', 'Customer msgs ·');
  await text(page, '.behind li', 'Contact of a');
  await page.keyboard.press('Escape');
  await page.locator('.dialog').waitFor({ state: 'detached' });
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('data-rove')), String(place));
});

test('another period has other numbers, and a period of nothing says so', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aMorning(hub);
  const { page, clean } = await visit(t, browser, hub, '/reports');
  await text(page, '.tile[data-name=messagesIn] .value', /^2$/);
  await page.getByRole('button', { name: 'Yesterday' }).click();
  await text(page, '.nothing', 'No data in this period.');
  assert.equal(await page.locator('.tile').count(), 0);
  await page.getByRole('button', { name: 'See 7 days' }).click();
  await text(page, '.tile[data-name=messagesIn] .value', /^2$/);
  await page.getByRole('button', { name: 'Business hours' }).click();
  await page.getByRole('button', { name: 'Custom', exact: true }).click();
  assert.match(page.url(), /since=\d{4}-\d\d-\d\d&till=/);
  await text(page, '.tile[data-name=messagesIn] .value', /^2$/);
  await page.getByLabel('First day').fill(new Date(Date.now() - 40 * 24 * HOUR_MS).toISOString().slice(0, 10));
  await page.getByLabel('Last day').fill(new Date(Date.now() - 30 * 24 * HOUR_MS).toISOString().slice(0, 10));
  await text(page, '.nothing', 'No data in this period.');
  clean();
});

test('who comes back from a chat behind a number finds its chats, and a report is chosen by its address alone', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aMorning(hub);
  const { page, clean } = await visit(t, browser, hub, '/reports');
  await page.getByLabel('How long it took: Metric').selectOption('replyTime');
  await page.getByLabel('Over time: Metric').selectOption('messagesIn');
  await page.getByLabel('By hour and weekday: Metric').selectOption('created');
  await page.getByRole('columnheader', { name: 'Reply time' }).getByRole('button').click();
  await page.getByRole('button', { name: /^Reply time, 20 min – 30 min: 1/ }).click();
  await page.getByRole('link', { name: 'Contact of b' }).click();
  await text(page, '.message', 'yes?');
  await page.goBack();
  await text(page, '.dialog h2', /^Reply time · 20 min – 30 min$/);
  await text(page, '.behind li', 'Contact of b');
  await page.reload();
  await text(page, '.behind li', 'Contact of b');
  await page.keyboard.press('Escape');
  await page.locator('.dialog').waitFor({ state: 'detached' });
  assert.doesNotMatch(page.url(), /behind/);
  await page.reload();
  await page.locator('.sortable th[aria-sort=descending]', { hasText: 'Reply time' }).waitFor();
  const values = (names) => Promise.all(names.map((name) => page.getByLabel(`${name}: Metric`).inputValue()));
  assert.deepEqual(await values(['How long it took', 'Over time', 'By hour and weekday']), [
    'replyTime',
    'messagesIn',
    'created',
  ]);
  await page.getByRole('button', { name: /^Reply time, 20 min – 30 min: 1/ }).click();
  await text(page, '.behind li', 'Contact of b');
  await page.goBack();
  await page.locator('.dialog').waitFor({ state: 'detached' });
  clean();
});
