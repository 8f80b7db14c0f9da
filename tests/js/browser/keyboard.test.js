/** Every page by the Tab key alone: in the order of the eye, through all of it, and out at its end. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { settled } from '../support/still.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/** More than any page has stops. */
const STOPS_MAX = 160;
/** What has stops of its own inside, which the page does not see: a date, a film. */
const NESTED = 'input[type=date], input[type=time], input[type=datetime-local], audio, video';

/** Runs in the page: where the focus is; null: it has left the page. */
function stop(nested) {
  const { activeElement: element } = document;
  if (element === null || element === document.body) return null;
  const { left, top, right, bottom } = element.getBoundingClientRect();
  const seen = document.elementFromPoint(
    (Math.max(left, 0) + Math.min(right, innerWidth)) / 2,
    (Math.max(top, 0) + Math.min(bottom, innerHeight)) / 2,
  );
  const { outlineStyle, boxShadow, borderBottomColor } = getComputedStyle(element);
  const { id = '' } = element;
  element.dataset.stop ??= String(document.querySelectorAll('[data-stop]').length);
  return {
    number: Number(element.dataset.stop),
    name: `${element.tagName} ${element.className} ${id} ${(element.ariaLabel ?? element.textContent).slice(0, 40)}`,
    isSeen: seen !== null && (element.contains(seen) || seen.contains(element)),
    isMarked: outlineStyle !== 'none' || boxShadow !== 'none' || borderBottomColor !== 'rgb(0, 0, 0)',
    isNested: element.matches(nested),
    part: element.closest('header.top, main, .skip')?.tagName ?? 'none',
  };
}

/** Tab after Tab until the page is left. */
async function walk(page) {
  const stops = [];
  while (stops.length < STOPS_MAX) {
    await page.keyboard.press('Tab');
    const at = await page.evaluate(stop, NESTED);
    if (at === null) return stops;
    const last = stops.at(-1);
    if (last?.number === at.number) assert.ok(at.isNested, `the focus stays on ${at.name}`);
    else stops.push(at);
  }
  return assert.fail(`no end after ${STOPS_MAX} stops, the last at ${stops.at(-1).name}`);
}

test('the Tab key leads through every page to its end, and what has the focus is seen', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (let index = 0; index < 3; index += 1) await hub.says(`chat-${index}`, 'hello');
  for (const path of [
    '/live',
    '/chats',
    '/reports',
    '/settings/agents',
    '/settings/rules',
    '/settings/umbler',
    '/status',
    `/live?at=${new Date(Date.now() - 60_000).toISOString()}`,
  ]) {
    const { page, clean } = await visit(t, browser, hub, path, { reducedMotion: 'reduce' });
    await live(page);
    await settled(page);
    const stops = await walk(page);
    for (const { name, isSeen, isMarked } of stops)
      assert.ok(isSeen && isMarked, `${path}: ${name} is ${isSeen ? 'not marked' : 'not seen'}`);
    // Each once, and the head of the page before the page.
    assert.deepEqual(
      stops.map(({ number }) => number),
      stops.map((_, index) => index),
      path,
    );
    const parts = stops.map(({ part }) => part);
    assert.ok(parts.lastIndexOf('HEADER') < parts.concat('MAIN').indexOf('MAIN'), `${path}: ${parts}`);
    // Whoever opens the past is taken to the bar that moves through it; elsewhere the way past the head comes first.
    assert.equal(parts[0], path.includes('?at=') ? 'none' : 'A', path);
    clean();
    await page.context().close();
  }
});

test('a list of hundreds of chats is one stop, and arrows go through it', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const all = 300;
  for (let index = 0; index < all; index += 1) await hub.says(`chat-${index}`, 'hello');
  const { page, clean } = await visit(t, browser, hub, '/live');
  await text(page, '.tile[data-name=unanswered] .value', /^300$/);
  const rows = async (selector) => {
    const stops = await walk(page);
    return stops.filter(({ name }) => name.includes(selector)).length;
  };
  assert.equal(await rows('A main'), 1);
  const queue = page.locator('.queue');
  await queue.locator('a.main').first().focus();
  await page.keyboard.press('End');
  await page.waitForFunction((last) => document.activeElement?.closest(`[aria-posinset="${last}"]`), all);
  await page.keyboard.press('Tab');
  assert.match(
    await page.evaluate(() => document.activeElement.ariaLabel),
    /^Open in Umbler Talk: Contact of chat-299/,
  );
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.closest('.queue')), null);
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Shift+Tab');
  await page.keyboard.press('Home');
  await page.waitForFunction(() => document.activeElement?.closest('[aria-posinset="1"]'));

  await page.goto(`${hub.origin}/chats/chat-5`);
  await text(page, '.message', 'hello');
  await page.locator('.list input[type=search]').focus();
  while ((await page.evaluate(() => document.activeElement.className)).includes('chat') === false)
    await page.keyboard.press('Tab');
  await page.keyboard.press('Tab');
  assert.equal(await page.evaluate(() => document.activeElement.closest('.list')), null);
  clean();
});
