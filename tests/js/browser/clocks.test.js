/** Computers whose clock is wrong, or which stand in another zone than the team: what is shown is the hub's time. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, openPage } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { midnightZone } from '../support/zone.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const MINUTE_MS = 60_000;
const at = (moment) => (delivery, content) => {
  delivery.EventDate = content.LastMessage.EventAtUTC = new Date(moment).toISOString();
};
const says = (page, name, wanted) => text(page, `.tile[data-name=${name}] .value`, new RegExp(`^${wanted}$`));

/** As the page writes a time, without kinds of spaces that differ between versions. */
const timeIn = (timeZone, moment, locale = 'en-US') =>
  plain(
    new Intl.DateTimeFormat(locale, {
      hour: locale === 'en-US' ? 'numeric' : '2-digit',
      minute: '2-digit',
      timeZone,
    }).format(moment),
  );
const plain = (words) => words.replace(/\s/g, ' ');

for (const minutes of [20, -20]) {
  const wrong = { clockOffMs: minutes * MINUTE_MS };
  const name = minutes > 0 ? 'ahead' : 'behind';

  test(`waits, what is late and what is of today are the hub's on a computer whose clock is 20 minutes ${name}`, async (t) => {
    const hub = await spawnDashboard(t, dashboard);
    const now = Date.now();
    await hub.says('a', 'waits for seven minutes', at(now - 7 * MINUTE_MS));
    await hub.says('b', 'waits for seventeen', at(now - 17 * MINUTE_MS));
    const { page, clean } = await visit(t, browser, hub, '/live', wrong);
    await text(page, '.tile[data-name=longest][data-urgency=late] .value', /^(1[7-9]|2\d):\d\d$/);
    await says(page, 'late', 1);
    assert.deepEqual(await page.locator('.waiting').evaluateAll((rows) => rows.map((row) => row.dataset.urgency)), [
      'late',
      'attention',
    ]);
    await hub.says('c', 'of this moment');
    await says(page, 'open', 3);
    await page.getByRole('link', { name: 'Reports' }).click();
    await text(page, '.tile[data-name=messagesIn] .value', /^3$/);
    await page.goto(`${hub.origin}/reports`);
    await text(page, '.tile[data-name=messagesIn] .value', /^3$/);
    clean();
  });

  test(`an hour back is an hour back on a computer whose clock is 20 minutes ${name}, and the past ends where the hub's does`, async (t) => {
    const hub = await spawnDashboard(t, dashboard);
    const now = Date.now();
    const { page, clean } = await visit(t, browser, hub, '/live', wrong);
    await live(page);
    await page.getByRole('button', { name: 'Look back in time' }).click();
    await page.locator('.time-bar').waitFor();
    const shown = Date.parse(new URL(page.url()).searchParams.get('at'));
    // Rounded down to the minute; the test itself may take some minutes on a busy machine.
    assert.ok(
      shown >= now - 61 * MINUTE_MS && shown <= Date.now() - 60 * MINUTE_MS,
      `${(shown - now) / MINUTE_MS} min`,
    );
    await page.goto(`${hub.origin}/live?at=${new Date(now - 5 * MINUTE_MS).toISOString()}`);
    await text(page, '.time-bar', 'The past');
    await page.goto(`${hub.origin}/live?at=${new Date(now + 15 * MINUTE_MS).toISOString()}`);
    await text(page, '.time-bar[role=alert]', 'does not name a moment in the past');
    clean();
  });

  test(`the console counts a wait by the hub's clock where the computer's is 20 minutes ${name}`, async (t) => {
    const hub = await spawnDashboard(t, dashboard);
    const since = new Date(Date.now() - 7 * MINUTE_MS).toISOString();
    await hub.says('a', 'hello', (delivery, content) => {
      at(since)(delivery, content);
      content.Waiting = true;
    });
    const { page } = await openPage(t, browser, { locale: 'en-US', ...wrong });
    await page.goto(`${hub.origin}/console`);
    await text(page, '#chats .row', /waiting ([7-9]|1\d) min/);
  });
}

test("today turns at the hub's midnight, and times are those of its zone, on a computer in another one", async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const zone = hub.settings.TIMEZONE;
  const wrote = Date.now() - 120 * MINUTE_MS;
  await hub.says('a', 'of today', at(wrote));
  const elsewhere = { timezoneId: midnightZone() };
  const { page, clean } = await visit(t, browser, hub, '/chats/a', elsewhere);
  const wanted = timeIn(zone, wrote);
  const time = page.locator('.list .chat time');
  await page.waitForFunction(
    (words) => document.querySelector('.list .chat time')?.textContent.replace(/\s/g, ' ') === words,
    wanted,
  );
  await text(page, '.message', 'of today');
  assert.equal(plain(await time.innerText()), wanted);
  assert.equal(plain(await page.locator('.message time').first().innerText()), wanted);
  const past = Math.floor((wrote + 30 * MINUTE_MS) / 1000) * 1000;
  await page.goto(`${hub.origin}/live?at=${new Date(past).toISOString()}`);
  const field = page.getByLabel('Date and time');
  const local = new Intl.DateTimeFormat('sv-SE', { dateStyle: 'short', timeStyle: 'short', timeZone: zone })
    .format(past)
    .replace(' ', 'T');
  await page.waitForFunction((start) => document.querySelector('.moment input')?.value.startsWith(start), local);
  await field.fill(`${local.slice(0, 11)}00:00`);
  await page.waitForFunction(() => Date.parse(new URL(location.href).searchParams.get('at')) % 1000 === 0);
  await text(page, '.time-bar .when', /12:00:00/);
  const there = new Intl.DateTimeFormat('sv-SE', { timeStyle: 'short', timeZone: zone }).format(
    Date.parse(new URL(page.url()).searchParams.get('at')),
  );
  assert.equal(there, '00:00');
  clean();

  const { page: console_ } = await openPage(t, browser, { locale: 'en-US', ...elsewhere });
  await console_.goto(`${hub.origin}/console`);
  await console_.waitForFunction(
    (words) => document.querySelector('#chats time')?.textContent.replace(/\s/g, ' ') === words,
    timeIn(zone, wrote, 'en-GB'),
  );
});
