/** Many alerts and many people: what stands together, who is online, and who of them has no chat. */

import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, signedIn, spawnDashboard, text, visit } from '../support/dashboard.js';
import { atEnd } from '../support/end.js';
import { JWT_SECRET } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const NAMES = { bia: 'Bia', rui: 'Rui', left: 'Left Long Ago' };

/** As much of Umbler's API as the link asks; `online` are the ids of those who are. */
async function umbler(t, online) {
  const answers = {
    '/api/v1/members/me/': { id: 'me', organizations: [{ id: 'org', name: 'Loja' }] },
    '/api/v1/organizations/org/': {
      organizationMembers: Object.entries(NAMES).map(([id, displayName]) => ({
        id,
        displayName,
        active: id !== 'left',
      })),
    },
    '/api/v1/chats/': { page: { totalItems: 0, maxTake: 100 }, items: [] },
    '/api/v1/webhooks/': [],
    '/api/v1/channels/': [],
  };
  const server = createServer((request, response) => {
    const { pathname } = new URL(request.url, 'http://umbler');
    response.setHeader('content-type', 'application/json');
    if (pathname === '/api/v1/members/online/') {
      if (online === null) return response.writeHead(403).end('{}');
      return response.end(JSON.stringify(online.map((id) => ({ id, displayName: NAMES[id] }))));
    }
    response.end(JSON.stringify(answers[pathname] ?? { items: [] }));
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => server.close());
  return {
    UMBLER_API_URL: `http://127.0.0.1:${server.address().port}/api`,
    UMBLER_API_TOKEN: 'a-token-of-the-api',
  };
}

const owner = (Id) => (_, content) => (content.OrganizationMember = Id && { Id });
const people = (page) => page.locator('.groups[data-by=owner]');

test('whoever is online and has no chat is shown, and whoever left the company is not', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { ...(await umbler(t, ['bia', 'rui'])), JWT_SECRET });
  await hub.says('a', 'hello', owner('bia'));
  await hub.says('b', 'hello', owner('left'));
  await hub.says('c', 'hello', owner(null));
  const { page, clean } = await signedIn(t, browser, hub, '/live', { sub: 'ana', role: 'supervisor' });
  await text(page, '.groups[data-by=owner] .tally', '2 online, 1 free');
  const rows = await people(page).locator('tbody tr').allInnerTexts();
  assert.deepEqual(
    rows.map((row) => row.replace(/\s+/g, ' ').replace(/ \d+:.*$/, '')),
    ['Unassigned 1 1', 'online: Rui 0 0 –', 'online: Bia 1 1', 'not online: Left Long Ago 1 1'],
  );
  assert.equal(await people(page).getByRole('link', { name: 'Rui' }).count(), 0, 'there is nothing behind it');
  assert.deepEqual(await axe(page), []);
  clean();
  // Whoever does not see all chats cannot know who is free.
  const limited = await signedIn(t, browser, hub, '/live', { sub: 'bia', role: 'agent', members: ['bia'] });
  await people(limited.page).locator('tbody tr', { hasText: 'Bia' }).waitFor();
  assert.equal(await people(limited.page).locator('.tally, .presence').count(), 0);
  limited.clean();
});

test('where Umbler does not say who is online, nobody is said to be', async (t) => {
  const hub = await spawnDashboard(t, dashboard, await umbler(t, null));
  await hub.says('a', 'hello', owner('bia'));
  const { page, clean } = await visit(t, browser, hub, '/live');
  await people(page).locator('tbody tr', { hasText: 'Bia' }).waitFor();
  assert.deepEqual(await people(page).locator('tbody tr').count(), 1);
  assert.equal(await people(page).locator('.tally, .presence').count(), 0);
  clean();
});

test('where a whole team is late its alerts stand in groups, which open and say how many are late', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const late = (index, sector) => (delivery, content) => {
    const at = new Date(Date.now() - (120 - index) * 60_000).toISOString();
    delivery.EventDate = content.LastMessage.EventAtUTC = at;
    content.Sector = { Id: sector, Name: `Sector ${sector}` };
  };
  for (let index = 0; index < 5; index += 1) await hub.says(`s${index}`, 'hello', late(index, 'sales'));
  for (let index = 0; index < 4; index += 1) await hub.says(`h${index}`, 'hello', late(index + 20, 'help'));
  const limits = ['waitingWarn', 'firstResponseNear', 'firstResponse', 'idle', 'windowClosing'];
  const none = Object.fromEntries(limits.map((name) => [`${name}Seconds`, null]));
  const put = await fetch(`${hub.origin}/api/umbler/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ businessHours: {}, thresholds: { default: { ...none, waitingSeconds: 60 } } }),
  });
  assert.equal(put.status, 200, await put.text());
  const { page, clean } = await visit(t, browser, hub, '/live');
  await text(page, '.alert-group >> nth=0', /Sector sales\s*5 new\s*5 late/);
  await text(page, '.alert-group >> nth=1', /Sector help\s*4 new\s*4 late/);
  // The first of each group can be taken without opening it.
  assert.deepEqual(await page.locator('.alert .name').allInnerTexts(), ['Contact of s0', 'Contact of h0']);
  assert.deepEqual(await axe(page), []);
  const sales = page.getByRole('button', { name: /^Sector sales/ });
  await sales.click();
  await page.locator('.alert .name', { hasText: 'Contact of s4' }).waitFor();
  assert.equal(await page.locator('.alert').count(), 5 + 1);
  assert.equal(await sales.getAttribute('aria-expanded'), 'true');
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: /^I’m on it: Waiting: late, Contact of s0/ }).click();
  await text(page, '.alert-group >> nth=2', /Somebody is on them\s*1 late/);
  await text(page, '.alert-group >> nth=0', /Sector sales[\s\d\w]*4 late/);
  // The hub's answer comes after the update, and with it the focus.
  await page.waitForFunction(() => document.activeElement.closest('.alerts') !== null);
  clean();
});
