/** Finding what was said, and what happened to a chat. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET, token } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

test('words are found in messages whatever their accents, and lead to their place in the chat', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'A cotação do pedido <b>chegou</b>?');
  for (let index = 1; index <= 120; index += 1) await hub.says('a', `line ${index}`);
  await hub.says('b', 'nothing of that');
  const { page, clean } = await visit(t, browser, hub, '/chats');
  await page.getByRole('searchbox').fill('COTACAO ped');
  await page.getByRole('button', { name: 'Messages', exact: true }).click();
  await text(page, '.count', /^1 message found$/);
  assert.deepEqual(await page.locator('.find mark').allInnerTexts(), ['cotação', 'ped']);
  assert.equal(await page.locator('.find .snippet').innerText(), 'A cotação do pedido <b>chegou</b>?');
  assert.deepEqual(await axe(page), []);
  await page.getByRole('link', { name: /cotação/ }).click();
  const found = page.locator('.message[data-wanted]');
  await found.waitFor();
  assert.match(await found.innerText(), /cotação do pedido/);
  await page.waitForFunction(() => {
    const item = document.querySelector('.message[data-wanted]')?.getBoundingClientRect();
    const box = document.querySelector('.messages .scroll')?.getBoundingClientRect();
    return item && box && item.top >= box.top && item.bottom <= box.bottom;
  });
  await page.getByRole('searchbox').fill('nowhere');
  await text(page, '.list .blank', 'No message contains these words');
  await page.getByRole('button', { name: 'Names and phones' }).click();
  await page.getByRole('searchbox').fill('contact of b');
  await text(page, '.list .chat', 'Contact of b');
  clean();
});

test('a limited token finds the messages of its own chats alone', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  const sector = (Id) => (_, content) => (content.Sector = { Id, Name: Id });
  await hub.says('mine', 'a secret of sales', sector('sales'));
  await hub.says('theirs', 'a secret of support', sector('support'));
  const { page } = await visit(t, browser, hub, '/live');
  await page.evaluate(
    (value) => sessionStorage.setItem('umbler-hub-token', value),
    token({ role: 'agent', sectors: ['sales'] }),
  );
  await page.goto(`${hub.origin}/chats?search=secret&in=messages`);
  await live(page);
  await text(page, '.count', /^1 message found$/);
  await text(page, '.find', 'a secret of sales');
});

test('the history of a chat tells sectors, agents and tags, and grows while it is looked at', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const at = (sector, agent, tags) => (_, content) => {
    content.Sector = { Id: sector, Name: `Sector ${sector}` };
    content.OrganizationMember = agent && { Id: agent };
    content.Tags = tags.map((Id) => ({ Id, Name: `tag ${Id}` }));
  };
  // The hub knows a sector and a tag by name as long as a chat has them.
  await hub.says('other', 'hello', at('sales', null, ['urgent']));
  await hub.says('a', 'one', at('sales', null, []));
  await hub.says('a', 'two', at('sales', 'agent-1', ['urgent']));
  const { page, clean } = await visit(t, browser, hub, '/chats/a');
  await page.getByText('History', { exact: true }).click();
  await text(page, '.steps li', 'Tags added: tag urgent');
  await text(page, '.steps li', 'Agent: Unassigned → No name (agent-1)');
  await text(page, '.steps li', 'Opened');
  assert.deepEqual(await axe(page), []);
  await hub.says('a', 'three', at('support', 'agent-1', []));
  await text(page, '.steps li', 'Sector: Sector sales → Sector support');
  await text(page, '.steps li', 'Tags removed: tag urgent');
  clean();
});
