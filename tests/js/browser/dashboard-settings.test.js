/** The settings: who is who, and from when a wait is late. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, signedIn, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const owner = (Id) => (_, content) => (content.OrganizationMember = { Id });

const csv = (lines) => ({ name: 'agents.csv', mimeType: 'text/csv', buffer: Buffer.from(lines.join('\n')) });

test('an agent is given a name in the directory, and it stands on another screen at once', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', owner('agent-1'));
  const { page: other } = await visit(t, browser, hub, '/live');
  await text(other, '.groups', 'No name (agent-1)');
  const hint = await other
    .locator('.groups[data-by=owner] tbody tr', { hasText: 'agent-1' })
    .locator('th')
    .getAttribute('title');
  assert.equal(hint, 'Agent without a name, agent-1. Names are given under Settings › Agents.');
  const { page, clean } = await visit(t, browser, hub, '/live');
  await page.getByRole('link', { name: '1 without a name' }).click();
  await text(page, '.people tr', 'agent-1');
  assert.equal(await page.getByLabel('Entry').inputValue(), 'false');
  await page.getByLabel('Entry').selectOption('');
  await page.getByRole('button', { name: 'Give a name: agent-1' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Bia Ramos');
  await page.getByLabel('Picture URL').fill('ftp://example.com/b.png');
  await page.getByRole('button', { name: 'Save' }).click();
  await text(page, '.dialog [role=alert]', 'must begin with https:// or http://');
  assert.deepEqual(await axe(page), []);
  await page.getByLabel('Picture URL').fill('');
  await page.getByRole('button', { name: 'Save' }).click();
  await page.locator('.dialog').waitFor({ state: 'detached' });
  await text(page, '.people tr', 'Bia Ramos');
  await text(other, '.groups', 'Bia Ramos');
  const { members } = await hub.json('/api/umbler/members?known=true');
  assert.deepEqual(
    members.map(({ id, name, photoUrl }) => [id, name, photoUrl]),
    [['agent-1', 'Bia Ramos', null]],
  );
  await page.getByRole('button', { name: 'Edit: Bia Ramos' }).click();
  await page.getByRole('button', { name: 'Remove' }).click();
  await page.getByRole('button', { name: 'Confirm removal' }).click();
  await text(page, '.people tr', 'No name yet');
  await text(other, '.groups', 'No name (agent-1)');
  clean();
});

test('the directory is narrowed by name and by what is missing', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', owner('agent-1'));
  const { page } = await visit(t, browser, hub, '/settings/agents');
  for (const [id, name] of [
    ['x-1', 'Ana Lima'],
    ['x-2', 'Rui Costa'],
  ]) {
    await page.getByRole('button', { name: 'New agent' }).click();
    await page.getByLabel('Id in Umbler Talk').fill(id);
    await page.getByLabel('Name', { exact: true }).fill(name);
    await page.keyboard.press('Enter');
    await text(page, '.people tr', name);
  }
  await text(page, '.count', '3 agents');
  await page.getByRole('searchbox').fill('LIMA');
  await text(page, '.count', /^1 agent$/);
  await text(page, '.people tr', 'Ana Lima');
  await page.getByRole('searchbox').fill('');
  await page.getByLabel('Entry').selectOption('false');
  await text(page, '.count', /^1 agent$/);
  await text(page, '.people tr', 'agent-1');
  await page.getByRole('searchbox').fill('nobody');
  await text(page, '.blank', 'No agents found');
});

test('a CSV of agents is taken over whole, or every wrong line is told', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', owner('agent,1'));
  const { page, clean } = await visit(t, browser, hub, '/settings/agents');
  await page.getByRole('button', { name: 'Import CSV' }).click();
  const [template] = await Promise.all([
    page.waitForEvent('download'),
    page.getByRole('button', { name: 'Download a file of all agents' }).click(),
  ]);
  const chunks = await (await template.createReadStream()).toArray();
  assert.equal(Buffer.concat(chunks).toString(), '\ufeffid,name,photoUrl,sectorId\r\n"agent,1",,,\r\n');
  // A Brazilian spreadsheet splits columns by semicolons.
  const brazilian = await visit(t, browser, hub, '/settings/agents', { locale: 'pt-BR' });
  await brazilian.page.getByRole('button', { name: 'Importar CSV' }).click();
  const [modelo] = await Promise.all([
    brazilian.page.waitForEvent('download'),
    brazilian.page.getByRole('button', { name: 'Baixar arquivo com todos' }).click(),
  ]);
  assert.equal(
    Buffer.concat(await (await modelo.createReadStream()).toArray()).toString(),
    '\ufeffid;name;photoUrl;sectorId\r\n"agent,1";;;\r\n',
  );
  brazilian.clean();
  const file = page.locator('input[type=file]');
  await file.setInputFiles(csv(['id,name', 'b,', ',Ana', 'c,Caio; the second']));
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await text(page, '.wrong-lines', 'Nothing was imported');
  assert.deepEqual(await page.locator('.wrong-lines tbody tr').allInnerTexts(), [
    '2\tname is missing',
    '3\tid is missing',
  ]);
  assert.deepEqual(await axe(page), []);
  await file.setInputFiles({ ...csv([]), buffer: Buffer.from('id,name\nb,Jos\xe9', 'latin1') });
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await text(page, '.wrong-lines', 'is not UTF-8');
  await file.setInputFiles(csv(['id;name', '"agent,1";José', 'b;Bia']));
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await text(page, '.success', '2 entries imported');
  await page.getByRole('button', { name: 'Import', exact: true }).click();
  await text(page, '.success', 'nothing changed');
  await page.keyboard.press('Escape');
  await text(page, '.people tr', 'José');
  assert.equal((await hub.json('/api/umbler/members?known=true')).total, 2);
  clean();
});

test('an admin names a sector that no delivery names, and it stands on another screen at once', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello', (_, content) => (content.Sector = { Id: 'sector-1' }));
  const { page: other } = await visit(t, browser, hub, '/chats');
  await text(other, '.chat', 'sector-1');
  const { page, clean } = await visit(t, browser, hub, '/settings/umbler');
  await page.getByRole('button', { name: 'Edit: sector-1' }).click();
  await page.getByLabel('Name', { exact: true }).fill('Comercial');
  assert.deepEqual(await axe(page), []);
  await page.getByRole('button', { name: 'Save', exact: true }).click();
  await page.locator('.dialog').waitFor({ state: 'detached' });
  await text(page, '.people tr', 'Comercial');
  await text(other, '.chat', 'Comercial');
  await page.getByRole('button', { name: 'Edit: Comercial' }).click();
  await page.getByRole('button', { name: 'Use Umbler’s name' }).click();
  await page.locator('.dialog').waitFor({ state: 'detached' });
  await text(page, '.people tr', 'No name yet');
  await text(other, '.chat', 'sector-1');
  clean();
});

test('only admins are offered what the hub would refuse to others', async (t) => {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  await hub.says('a', 'hello', owner('agent-1'));
  for (const [role, buttons] of [
    ['admin', 3],
    ['supervisor', 0],
    ['agent', 0],
    ['viewer', 0],
  ]) {
    const { page, clean } = await signedIn(t, browser, hub, '/settings/agents', { sub: role, role });
    await text(page, '.people tr', 'agent-1');
    assert.equal(await page.locator('.directory button').count(), buttons, role);
    assert.equal(await page.getByText('Only admins can change the directory').count(), role === 'admin' ? 0 : 1);
    assert.equal(await page.getByRole('searchbox').isDisabled(), role === 'viewer');
    clean();
    await page.context().close();
  }
});
