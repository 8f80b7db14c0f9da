/** The first run: an admin of an empty hub is led through what Umbler must be told, and nobody is told a secret twice. */

import assert from 'node:assert/strict';
import { readFile, stat } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, spawnDashboard, text, visit } from '../support/dashboard.js';
import { atEnd } from '../support/end.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const TOKEN = 'a-token-of-the-api-that-nobody-sees-again';
const SECRET = 'a secret of the webhook & more';

/** As much of Umbler's API as the link asks at its start. */
async function umbler(t) {
  const webhooks = [{ id: 'crm', name: 'CRM', url: 'https://crm.example/w', forChannels: [{ id: 'line' }] }];
  const server = createServer(async (request, response) => {
    const path = new URL(request.url, 'http://umbler').pathname;
    response.setHeader('content-type', 'application/json');
    if (request.headers.authorization !== `Bearer ${TOKEN}`) {
      response.statusCode = 401;
      return response.end('{}');
    }
    const answers = {
      '/api/v1/members/me/': { id: 'me', organizations: [{ id: 'org', name: 'Loja' }] },
      '/api/v1/organizations/org/': { id: 'org', organizationMembers: [] },
      '/api/v1/chats/': { page: { totalItems: 0, maxTake: 100 }, items: [] },
      '/api/v1/webhooks/': webhooks,
      '/api/v1/channels/': [{ id: 'line', name: 'Loja Centro' }],
    };
    if (request.method === 'POST') {
      const { name, url, channelIds } = JSON.parse(Buffer.concat(await request.toArray()).toString());
      webhooks.push({ id: 'hub', name, url, forChannels: channelIds.map((id) => ({ id })) });
      return response.end('{}');
    }
    response.end(JSON.stringify(answers[path] ?? { items: [] }));
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  atEnd(t, () => server.close());
  return { url: `http://127.0.0.1:${server.address().port}/api`, webhooks };
}

const step = (page, name) => page.locator(`.setup [data-step=${name}]`);

test('an admin of an empty hub is led through five steps, and the secrets are shown once or never', async (t) => {
  const { url, webhooks } = await umbler(t);
  const ours = 'https://hub.example/api/umbler/webhook';
  const hub = await spawnDashboard(t, dashboard, {
    UMBLER_API_URL: url,
    UMBLER_WEBHOOK_URL: ours,
    WEBHOOK_SECRET: SECRET,
  });
  const { page } = await visit(t, browser, hub, '/');
  await page.waitForURL('**/settings/umbler');
  await page.getByRole('button', { name: 'Show the address' }).click();
  const shown = await page.getByLabel('Address of the webhook').inputValue();
  assert.equal(shown, `${ours}?token=${encodeURIComponent(SECRET)}`);
  const address = shown.replace('https://hub.example', hub.origin);
  assert.deepEqual(await axe(page), []);

  await step(page, 'address').getByRole('button', { name: 'Skip' }).click();
  await text(page, '[data-testid=first-delivery]', 'Waiting for the first delivery…');
  const answer = await fetch(address, { method: 'POST', body: '{"EventId":"first-event-0001","Type":"Message"}' });
  assert.equal(answer.status, 200);
  await page.locator('[data-testid=first-delivery][data-tone=good]').waitFor();

  await step(page, 'address').getByRole('button').first().click();
  await text(page, '.setup', 'The secret is not shown again');
  const again = await fetch(`${hub.origin}/api/umbler/setup/webhook`, { method: 'POST' });
  assert.equal(again.status, 403);

  await step(page, 'token').getByRole('button').first().click();
  await page.getByLabel('API token').fill('not-the-token');
  await page.getByRole('button', { name: 'Test and save' }).click();
  await text(page, '.setup [role=alert]', 'is refused by Umbler');
  await page.getByLabel('API token').fill(TOKEN);
  await page.getByRole('button', { name: 'Test and save' }).click();
  await page.locator('.setup [data-step=token][data-done]').waitFor();

  await step(page, 'covered').getByRole('button').first().click();
  await text(page, '.setup .facts', 'reachable');
  await text(page, '.setup .facts', 'no webhook posts here');
  await page.getByRole('button', { name: 'Create the webhook in Umbler' }).click();
  await text(page, '.dialog', 'it gets nothing more from them: CRM');
  assert.deepEqual(await axe(page), []);
  assert.equal(webhooks.length, 1, 'nothing is created before an admin says so');
  await page.locator('.dialog').getByRole('button', { name: 'Create the webhook', exact: true }).click();
  await text(page, '.setup', 'The webhook was created for: Loja Centro');
  await text(page, '.setup .facts', 'posts everything here');
  const { searchParams, origin, pathname } = new URL(webhooks[1].url);
  assert.deepEqual([origin + pathname, searchParams.get('token')], [ours, SECRET]);
  await step(page, 'history').getByRole('button').first().click();
  await page.getByRole('button', { name: 'Read history' }).click();
  await text(page, '[data-testid=backfill]', 'Read: 0 chats of 30 days');

  const file = join(hub.home, 'hub.db.umbler-token');
  assert.equal(await readFile(file, 'utf8'), TOKEN);
  assert.equal((await stat(file)).mode & 0o777, 0o600);
  for (const path of ['/api/umbler/setup', '/api/umbler/link', '/api/umbler/settings', '/metrics', '/health']) {
    const said = await (await fetch(hub.origin + path)).text();
    assert.ok(!said.includes(TOKEN) && !said.includes(SECRET), path);
  }
  assert.ok(!(await page.content()).includes(TOKEN));
});

test('a hub that has deliveries opens on what is live, and the steps stay under Settings', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page } = await visit(t, browser, hub, '/');
  await page.waitForURL('**/live');
  await page.goto(`${hub.origin}/settings`);
  await page.getByRole('link', { name: 'Umbler' }).click();
  await text(page, '.setup', 'Connect to Umbler');
});
