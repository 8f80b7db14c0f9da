/** A page in Portuguese says nothing in English: not under a wrong field, and not where the hub tells why something fails. */

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { buildDashboard, spawnDashboard, text, visit } from '../support/dashboard.js';
import { atEnd } from '../support/end.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const PT = { locale: 'pt-BR' };
/** Words of English sentences that no Portuguese one has. */
const ENGLISH = /\b(must|is|are|the|has|have|not|and|of|with|to|missing|cannot|wrong|other|status of)\b/i;

/** What stands under fields and in alerts. */
async function complaints(page) {
  const told = await page.locator('[role=alert], .mantine-InputWrapper-error, .wrong-lines td').allInnerTexts();
  const lines = told.map((line) => line.trim()).filter(Boolean);
  assert.ok(lines.length > 0, 'something is wrong on this page');
  assert.deepEqual(
    lines.filter((line) => ENGLISH.test(line)),
    [],
  );
  return lines.join('\n');
}

/** The browser would keep back what is wrong: the hub is to see it. */
const letThrough = (page) =>
  page.evaluate(() => {
    for (const form of document.forms) form.noValidate = true;
    for (const field of document.querySelectorAll('input')) field.removeAttribute('maxlength');
  });

test('every wrong field of the settings is told in Portuguese, by the name that it has on the page', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/settings/rules', PT);
  await page.getByLabel('Espera: fora do prazo, Todos os setores: minutos').fill('-5');
  await page.getByLabel('Minutos sem mensagem').fill('0');
  for (const name of ['Natal', 'Natal outra vez', 'x'.repeat(201)]) {
    await page.getByRole('button', { name: 'Adicionar feriado' }).click();
    const rows = page.locator('.holidays li').last();
    await rows.locator('input[type=date]').fill('2026-12-25');
    await rows.locator('input:not([type=date])').fill(name);
  }
  await page.getByLabel('segunda-feira 1: de', { exact: true }).fill('18:00');
  await page.getByLabel('segunda-feira 1: até', { exact: true }).fill('09:00');
  await page.getByLabel('Enviar todos os dias').check();
  await page.locator('#set-report input[type=time]').fill('');
  await letThrough(page);
  await page.getByRole('button', { name: 'Salvar', exact: true }).click();
  await text(page, '.save [role=alert]', /Feriados 2: está repetido/);
  const told = await complaints(page);
  for (const wanted of [
    /^precisa ser de 0 a \d+ minutos$/m,
    /^precisa ser um número inteiro de minutos, de 1 a 1440$/m,
    /^precisa ter de 1 a 200 caracteres$/m,
    /^está repetido$/m,
    /^precisa ter dois horários, o primeiro antes do segundo$/m,
    /^precisa ser um horário como 07:30$/m,
    /segunda-feira: precisa ter dois horários/,
  ])
    assert.match(told, wanted);
  clean();
});

test('what is wrong with an agent, or with a line of a table of agents, is told in Portuguese', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/settings/agents', PT);
  await page.getByRole('button', { name: 'Novo atendente' }).click();
  await page.getByLabel('Id no Umbler Talk').fill('agent-1');
  await page.getByLabel('Nome', { exact: true }).fill('x'.repeat(201));
  await page.getByLabel('URL da foto').fill('ftp://example.com/b.png');
  await letThrough(page);
  await page.getByRole('button', { name: 'Salvar' }).click();
  await text(page, '.dialog', 'pode ter no máximo 200 caracteres');
  assert.match(await complaints(page), /precisa começar com https:\/\/ ou http:\/\//);
  await page.keyboard.press('Escape');
  await page.getByRole('button', { name: 'Importar CSV' }).click();
  const file = async (lines) => {
    const buffer = Buffer.from(lines.join('\n'));
    await page.getByLabel('Arquivo').setInputFiles({ name: 'agents.csv', mimeType: 'text/csv', buffer });
    await page.getByRole('button', { name: 'Importar', exact: true }).click();
  };
  await file(['id,name,photoUrl', 'a,,', 'b,Ana,x', 'b,Ana,', 'c,C,,y']);
  await text(page, '.wrong-lines', 'name precisa ser preenchido');
  const told = await complaints(page);
  assert.match(told, /tem um valor em uma coluna sem nome/);
  await file(['id,nome', 'a,Ana']);
  await text(page, '.wrong-lines', '"nome" não é uma coluna; as colunas são id, name, photoUrl, sectorId');
  await complaints(page);
  clean();
});

test('why Umbler’s API cannot be asked is told in Portuguese, in the settings and under Status', async (t) => {
  const server = createServer((_, response) => response.writeHead(401).end('{}')).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => server.close());
  const hub = await spawnDashboard(t, dashboard, {
    UMBLER_API_URL: `http://127.0.0.1:${server.address().port}/api`,
    UMBLER_API_TOKEN: 'a-token-that-is-refused',
  });
  await hub.post({ EventId: 'of-a-kind-that-is-unknown', Type: 'Novelty', Payload: {} });
  const { page, clean } = await visit(t, browser, hub, '/status', PT);
  const why =
    /token recusado: a Umbler recusou o token \(status 401\): ele está errado, venceu ou o plano não inclui a API/;
  await text(page, '[data-testid=link]', why);
  await text(page, '.reasons td', 'o tipo "Novelty" não é conhecido');
  const facts = await page.locator('.facts dd, .reasons td').allInnerTexts();
  assert.deepEqual(
    facts.filter((fact) => ENGLISH.test(fact)),
    [],
  );
  clean();
});

test('one chat, one alert and one closed chat are told as a Brazilian would tell them', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'olá', (delivery, content) => {
    content.CreatedAtUTC = content.ClosedAtUTC = delivery.EventDate;
    content.Open = false;
  });
  const { page, clean } = await visit(t, browser, hub, '/chats?status=closed', PT);
  await text(page, '.count', /^1 conversa$/);
  await text(page, '.list .chip', /^Encerrada$/);
  await page.goto(`${hub.origin}/reports?period=month`);
  await text(page, '.story', /^30 dias: 1 conversa nova;/);
  assert.deepEqual(await page.locator('.whose option:first-child').allInnerTexts(), [
    'Todos',
    'Todos',
    'Todos',
    'Todas',
  ]);
  const [file] = await Promise.all([page.waitForEvent('download'), page.getByRole('button', { name: 'CSV' }).click()]);
  assert.match(file.suggestedFilename(), /^atendentes-\d{4}-\d\d-\d\d\.csv$/);
  clean();
});
