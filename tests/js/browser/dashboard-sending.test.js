/** A person answers a customer from the dashboard: against the real hub, and the provider that the simulator plays. */

import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { axe, buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';
import { openChats, sendingSettings, simulate } from '../support/provider.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/**
 * A hub that sends, and at least two open chats of an hour that was simulated. How many an hour leaves open depends on its seed
 * and on the moment at which it begins, so another one is played where they are too few.
 */
async function sendingHub(t) {
  for (let seed = 7; seed < 17; seed += 1) {
    const settings = await sendingSettings();
    const hub = await spawnDashboard(t, dashboard, settings);
    await simulate(t, hub, settings, seed);
    const chats = await openChats(hub);
    if (chats.length >= 2) return { hub, chats };
  }
  throw new Error('ten hours in a row left fewer than two chats open');
}

const field = (page) => page.locator('.composer textarea').first();

test('a reply is shown at once, goes out and is read; a note stays with the team', async (t) => {
  const { hub, chats } = await sendingHub(t);
  const { page, clean } = await visit(t, browser, hub, `/chats/${chats[0]}`);
  await live(page);
  await field(page).fill('Bom dia!');
  await field(page).press('Shift+Enter');
  await field(page).pressSequentially('Tudo bem?');
  await field(page).press('Enter');
  assert.equal(await field(page).inputValue(), '');
  const reply = page.locator('.messages .message', { hasText: 'Bom dia!\nTudo bem?' });
  await reply.locator('.state', { hasText: 'read' }).waitFor();
  await page.locator('.outgoing').waitFor({ state: 'detached' });

  await page.getByLabel('Private note', { exact: true }).check();
  await field(page).fill('Cliente antigo');
  await field(page).press('Control+Enter');
  await page.locator('.messages .message[data-private]', { hasText: 'Cliente antigo' }).waitFor();
  assert.deepEqual(await axe(page), []);
  clean();
});

test('a draft is kept for each chat, also through a reload, and nothing is lost where the hub does not answer', async (t) => {
  const { hub, chats } = await sendingHub(t);
  const { page } = await visit(t, browser, hub, `/chats/${chats[0]}`);
  await field(page).fill('half a');
  await page.goto(`${hub.origin}/chats/${chats[1]}`);
  await field(page).waitFor();
  assert.equal(await field(page).inputValue(), '');
  await page.goto(`${hub.origin}/chats/${chats[0]}`);
  await field(page).waitFor();
  assert.equal(await field(page).inputValue(), 'half a');
  await live(page);
  await hub.kill();
  await field(page).fill('half a sentence');
  await field(page).press('Enter');
  await text(page, '.composer [role=alert]', 'Your text is still here');
  assert.equal(await field(page).inputValue(), 'half a sentence');
});

test('a page in Portuguese says in Portuguese why something could not be done', async (t) => {
  const { hub, chats } = await sendingHub(t);
  const { page } = await visit(t, browser, hub, `/chats/${chats[0]}`, { locale: 'pt-BR' });
  await field(page).waitFor();
  await hub.kill();
  await field(page).fill('Bom dia');
  await field(page).press('Enter');
  await text(page, '.composer [role=alert]', 'Não enviada: o hub não responde. O texto continua aqui.');
});

test('what the provider refuses is told in its words, and can be sent again or removed', async (t) => {
  const { hub } = await sendingHub(t);
  // The provider does not know this chat.
  await hub.says('stranger', 'hello');
  const { page } = await visit(t, browser, hub, '/chats/stranger');
  await live(page);
  await field(page).fill('Olá?');
  await field(page).press('Enter');
  const entry = page.locator('.outgoing .message[data-outbox=failed]');
  await entry.getByText('no such chat').waitFor();
  await page.reload();
  await entry.getByRole('button', { name: 'Send again' }).click();
  await page.locator('.outgoing .message[data-outbox=sending], .outgoing .message[data-outbox=failed]').waitFor();
  await entry.getByText('no such chat').waitFor();
  await entry.getByRole('button', { name: 'Remove' }).click();
  await page.locator('.outgoing').waitFor({ state: 'detached' });
});

test('where nobody can write, the page says why, in Portuguese too, on a phone and in the dark', async (t) => {
  const { hub, chats } = await sendingHub(t);
  const phone = { viewport: { width: 390, height: 844 }, colorScheme: 'dark', locale: 'pt-BR' };
  const { page, clean } = await visit(t, browser, hub, `/chats/${chats[0]}`, phone);
  await live(page);
  await field(page).waitFor();
  const box = await page.locator('.composer').boundingBox();
  assert.ok(box.x >= 0 && box.x + box.width <= 390, JSON.stringify(box));
  assert.deepEqual(await axe(page), []);
  await hub.says(chats[0], 'tchau', (delivery, content) => {
    delivery.Type = 'ChatClosed';
    content.Open = false;
    content.ClosedAtUTC = delivery.EventDate;
  });
  await text(page, '.composer-shut[data-refused=chat_closed]', 'encerrada');

  const old = new Date(Date.now() - 25 * 3_600_000).toISOString();
  await hub.says('late', 'oi', (delivery, content) => {
    delivery.EventDate = old;
    content.LastMessage.EventAtUTC = old;
    content.LastMessage.CreatedAtUTC = old;
  });
  await page.goto(`${hub.origin}/chats/late`);
  await text(page, '.composer [data-refused=window_closed]', '24 horas');
  assert.ok(await page.getByLabel('Resposta', { exact: true }).isDisabled());
  assert.ok(await page.getByLabel('Nota interna', { exact: true }).isChecked());
  clean();

  const silent = await spawnDashboard(t, dashboard);
  await silent.says('a', 'hello');
  const { page: other } = await visit(t, browser, silent, '/chats/a');
  await text(other, '.composer-shut[data-refused=sending_off]', 'does not send messages');
});
