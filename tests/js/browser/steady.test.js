/** Nothing on a page moves by itself: not while it loads, and not while somebody edits a form. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch, slowDown } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { slowLine } from '../support/slow-line.js';
import { settled } from '../support/still.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/** Of the cumulative layout shift of a load, as the browser counts it. */
const SHIFT_MAX = 0.02;
/** A line on which what a page needs comes one after the other. */
const SLOW = { latencyMs: 150, bytesPerSecond: 200_000 };
/** How many times slower than here the page computes: answers come before it is ready, or long after. */
const SLOWER = 6;
const PAGES = ['/live', '/live?wall', '/chats', '/chats/chat-3', '/reports', '/settings/agents', '/settings/rules'];
const SIZES = [
  [1440, 900],
  [390, 844],
];

test('what comes late has its place before it comes, on every page and also on a phone', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (let index = 0; index < 12; index += 1) await hub.says(`chat-${index}`, 'hello');
  // Enough for a worst hour, which the sentence of a report tells once it is known.
  for (let index = 0; index < 6; index += 1)
    await hub.says(`chat-${index}`, 'yes?', (_, content) => {
      content.LastMessage.Source = 'Member';
      content.LastMessage.SentByOrganizationMember = { Id: 'agent-1' };
    });
  const slow = await slowLine(t, hub, SLOW);
  const moved = [];
  for (const [width, height] of SIZES) {
    for (const path of [...PAGES, '/status', '/settings/umbler']) {
      const { page } = await visit(t, browser, hub, '/nowhere', {
        viewport: { width, height },
        serviceWorkers: 'block',
      });
      await page.addInitScript(countShifts);
      await slowDown(page, SLOWER);
      // Nothing is in the browser's cache: it knows no file of this origin yet.
      await page.goto(slow + path);
      await live(page);
      await settled(page);
      const shifts = await page.evaluate(() => window.shifts());
      const sum = shifts.reduce((all, { value }) => all + value, 0);
      if (sum > SHIFT_MAX) moved.push({ path, width, sum, shifts });
      await page.context().close();
    }
  }
  assert.deepEqual(moved, []);
});

/** Runs in the page, before everything else there. */
function countShifts() {
  const seen = [];
  const note = ({ value, hadRecentInput, sources }) => {
    if (!hadRecentInput) seen.push({ value, of: sources.map(({ node }) => (node?.parentElement ?? node)?.className) });
  };
  const observer = new PerformanceObserver((list) => list.getEntries().forEach(note));
  observer.observe({ type: 'layout-shift', buffered: true });
  window.shifts = () => {
    observer.takeRecords().forEach(note);
    return seen;
  };
}

test('whatever the bar under the settings says, the form above it stays where it is', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  for (const [width, height] of SIZES) {
    const { page, clean } = await visit(t, browser, hub, '/settings/rules', { viewport: { width, height } });
    const copy = page.getByRole('button', { name: 'Copy Monday to all workdays' });
    await copy.scrollIntoViewIfNeeded();
    const place = async () => [
      await page.locator('.rules .fields').evaluate((box) => [box.clientHeight, box.scrollTop]),
      await copy.evaluate((button) => button.getBoundingClientRect().top),
    ];
    const begun = await place();
    const stays = async (when) => assert.deepEqual(await place(), begun, `${when} at ${width}`);
    const from = page.getByLabel('Monday 1: from');
    const type = (value) =>
      from.evaluate((field, written) => {
        Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value').set.call(field, written);
        field.dispatchEvent(new Event('input', { bubbles: true }));
      }, value);

    await type('23:00');
    await text(page, '.save', 'There are changes that are not saved.');
    await stays('with changes');
    await page.getByRole('button', { name: 'Save', exact: true }).click();
    await text(page, '.save [role=alert]', 'Monday: ');
    const { updatedAt: _, ...seen } = await hub.json('/api/umbler/settings');
    const theirs = await fetch(`${hub.origin}/api/umbler/settings`, {
      method: 'PUT',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ ...seen.settings, idleMinutes: width % 100 }),
    });
    assert.equal(theirs.status, 200);
    await text(page, '.save [role=alert]', 'saved other settings meanwhile');
    await stays('beside what somebody else saved');
    await page.getByRole('button', { name: 'Discard changes' }).click();
    await text(page, '.save', 'Saved ');
    await stays('with what is saved');
    clean();
  }
});
