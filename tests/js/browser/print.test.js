/** A report as it is printed: one sheet that holds what a lead takes into a meeting. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { settled } from '../support/still.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/** A4 without the margins of 10 mm, in the pixels of CSS. */
const SHEET = { width: 718, height: 1046 };
/** A large team. */
const AGENTS = 20;

test('a report is printed on one sheet of A4, with its sentence, its numbers and its table', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (let index = 0; index < 3 * AGENTS; index += 1) {
    const agent = `agent-${index % AGENTS}`;
    await hub.says(`chat ${index}`, 'hello', (_, content) => (content.OrganizationMember = { Id: agent }));
    await hub.says(`chat ${index}`, 'yes?', (_, content) => {
      content.OrganizationMember = { Id: agent };
      content.LastMessage.Source = 'Member';
      content.LastMessage.SentByOrganizationMember = { Id: agent };
    });
  }
  for (const locale of ['en-US', 'pt-BR']) {
    const { page, clean } = await visit(t, browser, hub, '/reports', {
      viewport: { width: 1440, height: 900 },
      locale,
    });
    await live(page);
    await text(page, '.story', /slowest|pior hora/);
    await settled(page);
    const pdf = (await page.pdf({ preferCSSPageSize: true })).toString('latin1');
    assert.equal(pdf.match(/\/Type\s*\/Page\b/g)?.length, 1, locale);
    const [, width, height] = /\/MediaBox\s*\[\s*0\s+0\s+([\d.]+)\s+([\d.]+)/.exec(pdf) ?? [];
    assert.deepEqual([width, height].map(Number).map(Math.round), [595, 842], 'A4 in points');

    // What stands on it, and nothing that can only be clicked.
    await page.emulateMedia({ media: 'print' });
    await page.setViewportSize(SHEET);
    const isWhole = (selector) =>
      page.locator(selector).evaluateAll((all, { width, height }) => {
        const boxes = all.map((one) => one.getBoundingClientRect());
        return boxes.length > 0 && boxes.every((box) => box.height > 0 && box.right <= width && box.bottom <= height);
      }, SHEET);
    for (const part of ['.story', '.tile', '[data-metric] .big', '.sortable tbody tr', '.sortable tfoot'])
      assert.equal(await isWhole(part), true, `${locale}: ${part}`);
    assert.equal(await page.locator('.sortable tbody tr').count(), AGENTS);
    for (const part of ['header.top', '.choices', '.refresh'])
      assert.equal(await page.locator(part).first().isVisible(), false, part);
    clean();
    await page.context().close();
  }
});
