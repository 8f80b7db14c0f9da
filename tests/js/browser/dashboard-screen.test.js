/** What a lead looks at for two seconds: nothing scrolls away, nothing runs out of its box, and each number is a door. */

import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, chord, live, spawnDashboard, text, visit } from '../support/dashboard.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const MINUTE_MS = 60_000;
const HOUR = 60;
/** What happened some minutes ago did so before this, however long a test takes: of one test, lest waits grow with the file. */
let begun;
beforeEach(() => (begun = Date.now()));
/** Written so many minutes ago, in a chat that is as old as its first message. */
const ago =
  (minutes, change = () => {}, created = minutes) =>
  (delivery, content) => {
    const at = (before) => new Date(begun - before * MINUTE_MS).toISOString();
    delivery.EventDate = content.LastMessage.EventAtUTC = at(minutes);
    content.CreatedAtUTC = at(created);
    change(delivery, content);
  };
const replied = (_, content) => {
  Object.assign(content, { Waiting: false, WaitingSinceUTC: null });
  content.OrganizationMember = { Id: 'agent-1' };
  content.LastMessage.Source = 'Member';
  content.LastMessage.SentByOrganizationMember = { Id: 'agent-1' };
};
const sector = (Id, Name, line) => (_, content) => {
  content.Sector = { Id, Name };
  if (line) content.Channel = { ...content.Channel, Id: line, Name: line };
};
const owned = (Id) => (_, content) => (content.OrganizationMember = { Id });
const says = (page, name, wanted) => text(page, `.tile[data-name=${name}] .value`, new RegExp(`^${wanted}$`));
const SIZES = [
  [1366, 768],
  [1440, 900],
  [1920, 1080],
  [3840, 2160],
];
const sized = ([width, height]) => ({ viewport: { width, height } });

/** Thirty who wait, the longest for more than twelve hours. */
async function aBusyDay(hub) {
  for (let index = 0; index < 30; index += 1)
    await hub.says(
      `chat ${index}`,
      `message ${index}`,
      ago(index === 0 ? 12 * HOUR + 20 : 90 - index, sector(`s${index % 9}`, `Sector ${index % 9}`)),
    );
}

/** Where a page scrolls, and figures that are wider than their boxes. */
const overflow = (page) =>
  page.evaluate(() => {
    const { scrollHeight, scrollWidth } = document.documentElement;
    const wide = [...document.querySelectorAll('.figure')].filter(
      (figure) => figure.getBoundingClientRect().right > figure.closest('.tile').getBoundingClientRect().right,
    );
    return [scrollHeight > innerHeight, scrollWidth > innerWidth, wide.map(({ textContent }) => textContent)];
  });

test('Live and the wall fit into every window from 1366 × 768 up, whatever their figures say', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aBusyDay(hub);
  for (const size of SIZES) {
    for (const path of ['/live', '/live?wall']) {
      const { page, clean } = await visit(t, browser, hub, path, sized(size));
      await says(page, 'longest', '1[23]:\\d\\d:\\d\\d');
      await says(page, 'unanswered', '30');
      assert.deepEqual(await overflow(page), [false, false, []], `${path} at ${size}`);
      clean();
      await page.context().close();
    }
  }
});

test('the wall shows the eight longest waits and how many more, and nothing smaller than can be read', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await aBusyDay(hub);
  const { page, clean } = await visit(t, browser, hub, '/live?wall', sized([1920, 1080]));
  await text(page, '.wall .queue', '+22 waiting');
  assert.equal(await page.locator('.wall .waiting').count(), 8);
  assert.equal(await page.locator('header.top').count(), 0);
  const small = await page.evaluate(() =>
    [...document.querySelectorAll('.wall *')]
      .filter((part) => part.checkVisibility() && !part.closest('.hidden, .leave'))
      .filter((part) => [...part.childNodes].some(({ nodeType, data }) => nodeType === 3 && data.trim()))
      .filter((part) => Number.parseFloat(getComputedStyle(part).fontSize) < 24)
      .map((part) => part.outerHTML.slice(0, 100)),
  );
  assert.deepEqual(small, []);
  assert.deepEqual(await axe(page), []);
  await hub.kill();
  await page.locator('.wall[data-stale]').waitFor();
  await text(page, '.wall .freshness', 'Out of date');
  await page.keyboard.press('Escape');
  await page.locator('header.top').waitFor();
  clean();
});

test('how many rows lie below a panel’s edge is told beside the rows, and hides none of them', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (let index = 0; index < 20; index += 1)
    await hub.says(
      `chat ${index}`,
      'hello',
      ago(index + 1, (delivery, content) => {
        sector(`s${index}`, `Sector ${index}`)(delivery, content);
        owned(`agent-${index}`)(delivery, content);
      }),
    );
  const { page, clean } = await visit(t, browser, hub, '/live', sized([1366, 768]));
  for (const panel of ['.queue', '.groups[data-by=sector]', '.groups[data-by=owner]']) {
    const told = page.locator(`${panel} > .below`);
    await told.waitFor();
    const [word, rows, card] = await Promise.all(
      [told, page.locator(`${panel} > .scroll`), page.locator(panel)].map((part) => part.boundingBox()),
    );
    assert.ok(word.y >= rows.y + rows.height - 0.5, `${panel}: it lies over a row`);
    assert.ok(word.y + word.height <= card.y + card.height, `${panel}: it runs out of its panel`);
  }
  clean();
});

test('where all are late no row is filled: its edge and its time tell it', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', ago(40));
  await hub.says('b', 'hello', ago(50));
  const { page } = await visit(t, browser, hub, '/live');
  await says(page, 'late', '2');
  const looks = await page.locator('.waiting[data-urgency=late]').evaluateAll((rows) =>
    rows.map((row) => {
      const { backgroundColor, borderLeftColor } = getComputedStyle(row);
      return [backgroundColor, borderLeftColor === getComputedStyle(row.querySelector('time')).color];
    }),
  );
  assert.deepEqual(looks, Array(2).fill(['rgba(0, 0, 0, 0)', true]));
});

test('a row says in whose words the chat ended: an arrow stands before those of the team', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'of the customer', ago(4));
  await hub.says('b', 'hello', ago(3));
  await hub.says('b', 'of a bot', (delivery, content) => {
    ago(2, () => {}, 3)(delivery, content);
    content.LastMessage.Source = 'Bot';
  });
  const { page, clean } = await visit(t, browser, hub, '/live');
  await says(page, 'unanswered', '2');
  const lines = page.locator('.waiting .main > .quiet');
  await text(page, '.waiting', 'of a bot');
  assert.deepEqual(await lines.allInnerTexts(), ['of the customer', '↩ of a bot']);
  clean();
});

test('two sectors of one name are told apart by their line, and lead to chats of their own', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', ago(3, sector('s1', 'General', 'Shop')));
  await hub.says('b', 'hello', ago(2, sector('s2', 'General', 'Plant')));
  await hub.says('c', 'hello', ago(1, sector('s3', 'Sales', 'Shop')));
  const { page, clean } = await visit(t, browser, hub, '/live');
  const rows = page.locator('.groups[data-by=sector] tbody th');
  await text(page, '.groups[data-by=sector]', 'General · Plant');
  assert.deepEqual(
    (await rows.allInnerTexts()).map((name) => name.trim()),
    ['General · Shop', 'General · Plant', 'Sales'],
  );
  await text(page, '.queue .waiting', 'General · Shop');
  await page.getByRole('link', { name: 'General · Plant', exact: true }).click();
  await text(page, '.count', /^1 chat$/);
  await text(page, '.list .chat', 'Contact of b');
  clean();
});

test('a number leads to the chats behind it, the address can be shared, and Back comes back', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('late', 'hello', ago(40));
  await hub.says('soon', 'hello', ago(2, owned('agent-1')));
  await hub.says('answered', 'hello', ago(1, owned('agent-1')));
  await hub.says('answered', 'yes?', ago(0, replied, 1));
  const { page, clean } = await visit(t, browser, hub, '/live');
  for (const [name, count, chats] of [
    ['unanswered', 2, ['Contact of late', 'Contact of soon']],
    ['late', 1, ['Contact of late']],
    ['unassigned', 1, ['Contact of late']],
  ]) {
    await says(page, name, String(count));
    await page.locator(`.tile[data-name=${name}] .value a`).click();
    await text(page, '.count', count === 1 ? /^1 chat$/ : `${count} chats`);
    assert.deepEqual(await page.locator('.list .chat .name > span').allInnerTexts(), chats, name);
    await page.reload();
    await text(page, '.count', count === 1 ? /^1 chat$/ : `${count} chats`);
    await page.goBack();
  }
  await says(page, 'unanswered', '2');
  await page.locator('.tile[data-name=late] .value a').click();
  await page.getByRole('button', { name: 'Late', exact: true, pressed: true }).click();
  await text(page, '.count', '3 chats');
  const order = () => page.locator('.list .chat .name > span').allInnerTexts();
  await page.getByRole('button', { name: 'Longest waiting first', pressed: false }).click();
  await text(page, '.count', '2 chats');
  assert.deepEqual(await order(), ['Contact of late', 'Contact of soon']);
  await page.getByRole('button', { name: 'Longest waiting first', pressed: true }).click();
  await text(page, '.count', '3 chats');
  clean();
});

test('with keys alone: to each page, into a list, into a chat and back, and anywhere by its name', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'first', ago(9));
  await hub.says('b', 'second', ago(5));
  const { page, clean } = await visit(t, browser, hub, '/live');
  await live(page);
  for (const [key, path] of [
    ['r', '/reports'],
    ['s', '/settings'],
    ['h', '/status'],
    ['c', '/chats'],
    ['l', '/live'],
  ]) {
    await chord(page, 'g', key);
    await page.waitForURL(`**${path}`);
  }
  await text(page, '.queue .waiting', 'Contact of a');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  assert.match(await page.evaluate(() => document.activeElement.textContent), /Contact of b/);
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  await page.waitForURL('**/chats/a');
  await text(page, '.message', 'first');
  await page.keyboard.press('Escape');
  await page.waitForURL('**/chats');
  await chord(page, 'g', 'h');
  await text(page, 'h1', 'Status');
  await page.keyboard.press('/');
  await page.waitForURL('**/chats');
  await page.waitForFunction(() => document.activeElement?.getAttribute('type') === 'search');
  await page.locator('.list .chat').first().focus();
  await page.keyboard.press('?');
  await text(page, '.dialog', 'Next in the list');
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Escape');
  await page.keyboard.press('Control+k');
  await page.keyboard.type('contact of B');
  await page.getByRole('option', { name: /Contact of b/ }).waitFor();
  assert.deepEqual(await axe(page), []);
  await page.keyboard.press('Enter');
  await page.waitForURL('**/chats/b');
  clean();
});

test('what happened stands among the messages, days are parted, and a picture that is gone keeps its box', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'yesterday', ago(30 * HOUR, owned('agent-1')));
  await hub.says('a', 'now', ago(4, owned('agent-2')));
  await hub.says('a', 'a picture', (_, content) => {
    owned('agent-2')(_, content);
    content.LastMessage.MessageType = 'Image';
    content.LastMessage.File = { Url: 'https://files.invalid/a.jpg', ContentType: 'image/jpeg', OriginalName: 'a.jpg' };
  });
  const { page, clean } = await visit(t, browser, hub, '/chats/a');
  await text(page, '.event', 'Agent: No name (agent-1) → No name (agent-2)');
  await text(page, '.picture.missing', 'The file is no longer available.');
  const last = page.locator('.thread-day').last();
  assert.equal(await last.locator('.day-mark').innerText(), 'Today');
  assert.deepEqual(await last.locator('li').evaluateAll((all) => all.map((one) => one.className.split(' ')[0])), [
    'event',
    'message',
    'message',
  ]);
  await text(page, '.due', /waiting for .*late by/);
  assert.deepEqual(await axe(page), []);
  clean();
});

test('the bar that saves covers no field, in any window', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (const size of [
    [1366, 768],
    [360, 740],
  ]) {
    const { page, clean } = await visit(t, browser, hub, '/settings/rules', sized(size));
    await page.getByRole('group', { name: 'Wednesday' }).waitFor();
    const covered = await page.evaluate(() => {
      const bar = document.querySelector('.save').getBoundingClientRect();
      return [...document.querySelectorAll('.fields input, .fields select, .fields button')].filter((field) => {
        field.scrollIntoView({ block: 'nearest' });
        const { top, bottom } = field.getBoundingClientRect();
        return bottom > bar.top + 1 || top < 0;
      }).length;
    });
    assert.equal(covered, 0);
    clean();
  }
});

test('where nothing is to be saved one line says so, and the bar never rises over the field that is written in', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { settings } = await hub.json('/api/umbler/settings');
  const answer = await fetch(`${hub.origin}/api/umbler/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  assert.equal(answer.status, 200);
  for (const size of [
    [1366, 768],
    [360, 740],
  ]) {
    const { page, clean } = await visit(t, browser, hub, '/settings/rules', sized(size));
    await text(page, '.save', 'Saved ');
    const high = () => page.locator('.save').evaluate((bar) => bar.getBoundingClientRect().height);
    assert.ok((await high()) <= 32, `${await high()} px for a line`);
    assert.equal(await page.getByRole('button', { name: 'Save', exact: true }).count(), 0);
    const field = page.getByLabel('Friday 1: to');
    // At the lower edge of what is seen, as far as the form at rest lets it be.
    await field.evaluate((input) => input.scrollIntoView({ block: 'end' }));
    await field.fill('17:00');
    await text(page, '.save', 'There are changes that are not saved.');
    const gap = await field.evaluate(
      (input) => document.querySelector('.save').getBoundingClientRect().top - input.getBoundingClientRect().bottom,
    );
    assert.ok(gap >= 0, `the bar covers ${-gap} px of the field at ${size}`);
    assert.equal(await field.evaluate((input) => input === document.activeElement), true);
    await page.getByRole('button', { name: 'Discard changes' }).click();
    await text(page, '.save', 'Saved ');
    assert.notEqual(await page.evaluate(() => document.activeElement.tagName), 'BODY');
    clean();
  }
});

test('a report says in a sentence how it went, and shows no change of a handful of values', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const week = 7 * 24 * HOUR;
  for (const [back, count, wait] of [
    [week, 20, 10],
    [0, 25, 5],
  ]) {
    for (let index = 0; index < count; index += 1) {
      await hub.says(`${back} ${index}`, 'hello', ago(back + 30));
      await hub.says(`${back} ${index}`, 'yes?', ago(back + 30 - wait, replied, back + 30));
    }
  }
  const { page, clean } = await visit(t, browser, hub, '/reports');
  await text(page, '.story', /25 new chats; median first response 5 min.*, 50% faster than the \w+ before; slowest: /);
  await text(page, '[data-metric=firstResponse] .change[data-tone=good]', '▼ 50%');
  await text(page, '.tile[data-name=created] .change', '▲ 25%');
  await page.getByRole('button', { name: 'Yesterday' }).click();
  await text(page, '.story', /^Yesterday: 0 new chats; no first response\.$/);
  clean();
});
