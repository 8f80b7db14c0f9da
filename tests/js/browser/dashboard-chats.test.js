/** The page of the chats: its list, its filters, and everything that a message can carry. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { launch } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, text, visit } from '../support/dashboard.js';

const FIXTURES = join(import.meta.dirname, '../../fixtures/deliveries');
const FAULTS = join(import.meta.dirname, '../../fixtures/faults');

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/** Posts these deliveries in order. */
async function deliver(hub, ...names) {
  for (const name of names) await hub.post(JSON.parse(await readFile(join(FIXTURES, `${name}.json`), 'utf8')));
}

const MANY = 5_000;
const AT_ONCE = 50;

test('with 5,000 open chats every number is whole, and only the rows in sight exist', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  let next = 0;
  const write = async () => {
    while (next < MANY) {
      next += 1;
      await hub.says(`chat-${next}`, 'hello');
    }
  };
  await Promise.all(Array.from({ length: AT_ONCE }, write));
  const { page, clean } = await visit(t, browser, hub, '/live');
  await text(page, '.tile[data-name=open] .value', /^5,000$/);
  await text(page, '.tile[data-name=unanswered] .value', /^5,000$/);
  assert.ok((await page.locator('.waiting').count()) < 60);
  await page.getByRole('link', { name: 'Chats', exact: true }).click();
  await text(page, '.count', '5,000 chats');
  assert.ok((await page.locator('.list .chat').count()) < 60);
  await page.locator('.list .scroll').evaluate((box) => box.scrollTo(0, box.scrollHeight));
  await page.locator('.list li[aria-posinset="5000"]').waitFor();
  assert.ok((await page.locator('.list .chat').count()) < 60);
  await hub.says('one more', 'hello');
  await text(page, '.count', '5,001 chats');
  clean();
});

test('messages of one second stand in the same order as they come, after a load and in the list', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const [first, ...rest] = (await readFile(join(FAULTS, 'same-second-ui.ndjson'), 'utf8'))
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  await hub.post(first);
  const { page, clean } = await visit(t, browser, hub, '/chats/tie-ui');
  await text(page, '.message', 'Oi');
  await live(page);
  // The last one comes first, as deliveries do at times.
  for (const delivery of rest.toReversed()) await hub.post(delivery);
  const inOrder = async () => {
    await page.locator('.message').nth(2).waitFor();
    await text(page, '.list .chat', 'Quero a segunda via');
    const shown = await page.locator('.message').evaluateAll((all) => all.map((one) => one.innerText));
    const found = ['Oi', 'Tudo bem?', 'Quero a segunda via'].map((words) =>
      shown.findIndex((one) => one.includes(words)),
    );
    assert.deepEqual(found, [0, 1, 2], shown.join(' | '));
  };
  await inOrder();
  await page.reload();
  await inOrder();
  clean();
});

test('what another system wrote to the customer says so, and an empty list asks nobody to choose', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const { page, clean } = await visit(t, browser, hub, '/chats');
  await text(page, '.list .blank', 'No open chats');
  assert.equal(await page.getByText('Choose a chat to read it.').count(), 0);
  await hub.says('a', 'your parcel is on its way', (_, content) => (content.LastMessage.Source = 'External'));
  await page.getByText('Choose a chat to read it.').waitFor();
  await page.locator('.chat').click();
  await text(page, '.message .from', 'Another system');
  clean();
});

test('the list is narrowed by status, sector and search, and the address remembers it', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const sector = (Id, Name) => (_, content) => (content.Sector = { Id, Name });
  await hub.says('a', 'hello', sector('sales', 'Sales'));
  await hub.says('b', 'hello', sector('support', 'Support'));
  await hub.says('c', 'goodbye', (delivery, content) => {
    delivery.Type = 'ChatClosed';
    content.Open = false;
    content.ClosedAtUTC = new Date().toISOString();
  });
  const { page, clean } = await visit(t, browser, hub, '/chats');
  await text(page, '.count', '2 chats');
  await page.getByRole('button', { name: 'More filters' }).click();
  await page.getByLabel('Sector').selectOption('sales');
  await text(page, '.count', /^1 chat$/);
  assert.match(page.url(), /sector=sales/);
  await page.reload();
  await text(page, '.count', /^1 chat$/);
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await page.getByRole('button', { name: 'Closed' }).click();
  await text(page, '.chat', 'Contact of c');
  await page.getByRole('link', { name: /Contact of c/ }).click();
  await text(page, '.closed', 'This chat is closed');
  await page.getByRole('button', { name: 'All' }).click();
  await text(page, '.count', '3 chats');
  await page.keyboard.press('Escape');
  await page.getByRole('searchbox').fill('contact of B');
  await text(page, '.count', /^1 chat$/);
  await text(page, '.chat', 'Contact of b');
  await page.getByRole('searchbox').fill('nobody at all');
  await text(page, '.list .blank', 'No chats match');
  clean();
});

test('with the keyboard alone: into the list, to the next chat, and into it', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'first');
  await hub.says('b', 'second');
  const { page } = await visit(t, browser, hub, '/chats');
  await text(page, '.count', '2 chats');
  await page.keyboard.press('/');
  assert.equal(await page.evaluate(() => document.activeElement?.getAttribute('type')), 'search');
  await page.locator('.chat').first().focus();
  await page.keyboard.press('ArrowDown');
  await page.waitForFunction(() => document.activeElement?.textContent?.includes('Contact of a'));
  await page.keyboard.press('Enter');
  await text(page, '.message', 'first');
  assert.equal(await page.evaluate(() => document.activeElement?.tagName), 'H2');
});

test('a message shows all that hangs on it', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await deliver(
    hub,
    '01_message_text_contact',
    '02_message_text_member',
    '04_message_private_note',
    '06c_message_image_ready',
    '09_message_location',
    '10_message_contact_card',
    '12_message_edit',
    '13c_message_state_failed',
  );
  const { chats } = await hub.json('/api/umbler/chats?limit=50');
  const shown = [];
  for (const { id } of chats) {
    const { messages } = await hub.json(`/api/umbler/chats/${id}/messages`);
    const { page, clean } = await visit(t, browser, hub, `/chats/${encodeURIComponent(id)}`);
    await page
      .locator('.message')
      .nth(messages.length - 1)
      .waitFor();
    shown.push(...(await page.locator('.message').evaluateAll((all) => all.map((one) => one.innerText))));
    clean();
    for (const { location } of messages) {
      if (location)
        assert.match(
          await page.getByRole('link', { name: 'Open map' }).first().getAttribute('href'),
          /^https:\/\/www\.openstreetmap\.org\//,
        );
    }
    await page.context().close();
  }
  const all = shown.join('\n');
  for (const wanted of ['Private note', 'Open map', 'edited', 'failed'])
    assert.ok(all.includes(wanted), `${wanted} in ${all}`);
});

test('a deleted message shows that it was deleted: in its bubble, in quotes of it and in the list', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const lines = (await readFile(join(FIXTURES, '../faults/deleted-message-shown.ndjson'), 'utf8'))
    .trim()
    .split('\n')
    .map(JSON.parse);
  const [said, answered, deletion, alone, aloneDeletion] = lines;
  for (const delivery of [said, answered, alone]) await hub.post(delivery);
  const { page, clean } = await visit(t, browser, hub, '/chats/del1');
  await live(page);
  await text(page, '.message blockquote', 'SENHA-SECRETA-123');
  await text(page, '.list .chat', 'OUTRA-SENHA-456');
  for (const delivery of [deletion, aloneDeletion]) await hub.post(delivery);
  await text(page, '.message >> nth=0', 'This message was deleted.');
  await text(page, '.message blockquote', 'This message was deleted.');
  await text(page, '.list .chat', 'This message was deleted.');
  assert.doesNotMatch(await page.content(), /SENHA/);
  await page.reload();
  await text(page, '.message blockquote', 'This message was deleted.');
  assert.doesNotMatch(await page.content(), /SENHA/);
  clean();
});

test('a contact whose name shows nothing is listed by the phone', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const blank = '\u200e\u3164 ';
  await hub.says('a', 'hello', (_, content) =>
    Object.assign(content.Contact, { Name: blank, PhoneNumber: '+5511900000001' }),
  );
  await hub.says('b', 'hello', (_, content) => Object.assign(content.Contact, { Name: blank, PhoneNumber: null }));
  const { page, clean } = await visit(t, browser, hub, '/chats');
  await text(page, '.list .chat .name', '+5511900000001');
  await text(page, '.list .chat .name', 'No name');
  clean();

  // And so it is in Portuguese, wherever else chats are listed: among finds, on Live as it was, behind numbers, in the console.
  const portuguese = await visit(t, browser, hub, '/chats', { locale: 'pt-BR' });
  const named = async (path, row) => {
    await portuguese.page.goto(hub.origin + path);
    await text(portuguese.page, row, '+5511900000001');
    await text(portuguese.page, row, 'Sem nome');
  };
  await named('/chats', '.list .chat .name');
  await named('/chats?search=hello&in=messages', '.finds .name');
  await named(`/live?at=${new Date().toISOString()}`, '.queue .name');
  await portuguese.page.goto(`${hub.origin}/reports?period=today`);
  await portuguese.page.getByRole('button', { name: /^Msgs. de clientes: 2/ }).click();
  await text(portuguese.page, '.behind a', '+5511900000001');
  await text(portuguese.page, '.behind a', 'Sem nome');
  portuguese.clean();
  const { page: console } = await visit(t, browser, hub, '/console', { locale: 'pt-BR' });
  await text(console, '#state-name', 'Ao vivo');
  for (const chat of ['a', 'b'])
    await hub.says(chat, 'good morning', (_, content) =>
      Object.assign(content.Contact, { Name: blank, PhoneNumber: chat === 'a' ? '+5511900000001' : null }),
    );
  for (const row of ['#chats .row', '#updates .update'])
    for (const name of ['+5511900000001', 'Sem nome']) await text(console, row, name);
});

test('what customers write is text, and a link goes to https alone', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const evil = '<img src=x onerror="window.hacked = true">';
  await hub.says('a', evil, (_, content) => (content.Contact.Name = `<b>${evil}</b>`));
  await hub.says('a', 'bad', (_, content) => {
    content.LastMessage.MessageType = 'File';
    content.LastMessage.File = {
      Url: 'javascript:alert(1)',
      OriginalName: 'price list.pdf',
      ContentType: 'application/pdf',
    };
  });
  const { page } = await visit(t, browser, hub, '/chats/a');
  await text(page, '.message', evil);
  await text(page, '.message', 'price list.pdf');
  assert.equal(await page.locator('.message a').count(), 0);
  assert.equal(await page.evaluate(() => window.hacked), undefined);
});

test('whoever reads older messages stays where they are, and is told of new ones', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (let index = 1; index <= 60; index += 1) await hub.says('a', `line ${index}\nand more`);
  const { page } = await visit(t, browser, hub, '/chats/a');
  await live(page);
  await text(page, '.message:last-child', 'line 60');
  const box = page.locator('.messages .scroll');
  await page.waitForFunction(() => {
    const list = document.querySelector('.messages .scroll');
    return list && list.scrollTop > 0 && list.scrollHeight - list.scrollTop - list.clientHeight < 5;
  });
  await page.getByRole('button', { name: 'Older messages' }).click();
  await text(page, '.message >> nth=0', /line 1\n/);
  await box.evaluate((list) => list.scrollTo(0, 200));
  const place = await box.evaluate((list) => list.scrollTop);
  await hub.says('a', 'the newest');
  await page.getByRole('button', { name: /New messages below/ }).waitFor();
  assert.equal(await box.evaluate((list) => list.scrollTop), place);
  await page.getByRole('button', { name: /New messages below/ }).click();
  await page.getByRole('button', { name: /New messages below/ }).waitFor({ state: 'detached' });
});

test('a chat that is opened by its address stands in sight in the list, and then nothing moves by itself', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  for (let index = 1; index <= 40; index += 1) await hub.says(`chat-${index}`, 'hello');
  const { page, clean } = await visit(t, browser, hub, '/chats/chat-2');
  const row = page.locator('.list .chat[aria-current]');
  await row.waitFor();
  const list = page.locator('.list .scroll');
  const [box, place] = [await list.boundingBox(), await row.boundingBox()];
  assert.ok(place.y >= box.y && place.y + place.height <= box.y + box.height + 1, JSON.stringify([box, place]));
  await list.evaluate((one) => one.scrollTo(0, 0));
  await hub.says('chat-41', 'hello');
  await text(page, '.count', '41 chats');
  assert.equal(await list.evaluate((one) => one.scrollTop), 0);
  clean();
});

test('on a phone the list gives way to the chat, and comes back', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('a', 'hello');
  const { page } = await visit(t, browser, hub, '/chats', { viewport: { width: 360, height: 740 } });
  await page.getByRole('link', { name: /Contact of a/ }).click();
  await text(page, '.message', 'hello');
  assert.equal(await page.locator('.list').isVisible(), false);
  await page.getByRole('link', { name: 'Back to the list' }).click();
  await page.locator('.list .chat').waitFor();
});
