/** An admin exports what is stored of a person and has it erased, against the real hub. */

import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { after, before, test } from 'node:test';

import { launch, openPage } from '../support/browser.js';
import { axe, buildDashboard, NO_WORKER, signedIn, spawnDashboard, text, visit } from '../support/dashboard.js';
import { JWT_SECRET } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

const PHONE = '+5511987654321';

/** A hub that knows a person: two texts, a place and a picture. */
async function hubWithPerson(t) {
  const hub = await spawnDashboard(t, dashboard, { JWT_SECRET });
  const of = (more) => (_, content) => {
    Object.assign(content.Contact, { Name: 'Zulmira Quixote', PhoneNumber: PHONE });
    more?.(content.LastMessage);
  };
  await hub.says('a', 'quero um xilofone', of());
  const place = { Latitude: -23.5, Longitude: -46.6, Name: 'Rua do Agogô', Address: null };
  await hub.says(
    'a',
    null,
    of((message) => Object.assign(message, { MessageType: 'Location', Location: place })),
  );
  const picture = { Url: null, OriginalName: 'zabumba.jpg', ContentType: 'image/jpeg' };
  await hub.says(
    'a',
    null,
    of((message) => Object.assign(message, { MessageType: 'Image', File: picture })),
  );
  await hub.says('a', 'tem em azul?', of());
  return hub;
}

const CASES = [
  {
    locale: 'en-US',
    open: 'Erase…',
    reason: 'Reason',
    confirm: 'Type ERASE to confirm',
    word: 'ERASE',
    submit: 'Erase for good',
    refused: /must not contain/,
    done: /Messages erased: 4/,
    gone: 'Text erased',
    place: 'Location · content erased',
    picture: 'Image · content erased',
  },
  {
    locale: 'pt-BR',
    open: 'Apagar…',
    reason: 'Motivo',
    confirm: 'Digite APAGAR para confirmar',
    word: 'APAGAR',
    submit: 'Apagar definitivamente',
    refused: /./,
    done: /Mensagens apagadas: 4/,
    gone: 'Texto apagado',
    place: 'Localização · conteúdo apagado',
    picture: 'Imagem · conteúdo apagado',
  },
];

for (const { locale, open, reason, confirm, word, submit, refused, done, gone, place, picture } of CASES) {
  test(`in ${locale} an admin erases a person, and the open chat says what was erased`, async (t) => {
    const hub = await hubWithPerson(t);
    const admin = { sub: 'root', role: 'admin' };
    const { page, clean } = await signedIn(t, browser, hub, '/chats/a', admin, { locale });
    await text(page, '.messages .message >> nth=0', 'quero um xilofone');
    await page.getByRole('button', { name: open, exact: true }).click();
    const dialog = page.getByRole('dialog');
    const button = dialog.getByRole('button', { name: submit, exact: true });
    assert.equal(await button.isDisabled(), true, 'nothing was typed');
    // The reason stays for good, so it must not name the person.
    await dialog.getByLabel(reason, { exact: true }).fill('pedido de Zulmira Quixote');
    await dialog.getByLabel(confirm).fill(word.toLowerCase());
    assert.equal(await button.isDisabled(), true, 'the word in small letters is not enough');
    await dialog.getByLabel(confirm).fill(word);
    await button.click();
    await text(page, 'dialog .refusal', refused);
    assert.deepEqual(await axe(page), []);
    await dialog.getByLabel(reason, { exact: true }).fill('pedido 17');
    await button.click();
    await text(page, 'dialog [role=status]', done);
    await page.keyboard.press('Escape');
    await dialog.waitFor({ state: 'detached' });

    const bubbles = page.locator('.messages .message');
    await bubbles.nth(0).getByText(gone, { exact: true }).waitFor();
    await bubbles.nth(1).getByText(place, { exact: true }).waitFor();
    await bubbles.nth(2).getByText(picture, { exact: true }).waitFor();
    await text(page, '.chat >> nth=0', `[${gone}]`);
    const left = await page.locator('body').innerText();
    for (const trace of ['Zulmira', 'xilofone', 'Agogô', 'zabumba', PHONE]) assert.ok(!left.includes(trace), trace);

    // What is read anew says the same.
    await page.reload();
    await bubbles.nth(0).getByText(gone, { exact: true }).waitFor();
    await bubbles.nth(2).getByText(picture, { exact: true }).waitFor();
    clean();
  });
}

test('nobody but an admin is offered to export or erase, and a viewer is told that words are hidden, not erased', async (t) => {
  const hub = await hubWithPerson(t);
  for (const role of ['supervisor', 'viewer']) {
    const { page, clean } = await signedIn(t, browser, hub, '/chats/a', { sub: role, role });
    await page.locator('.messages .message').nth(2).waitFor();
    assert.equal(await page.locator('.personal-data').count(), 0, role);
    const shown = await page.locator('body').innerText();
    assert.ok(!shown.includes('erased'), shown);
    clean();
  }
});

test('the export reads well on a phone: nothing is wider than the page, and no word of the heads is broken', async (t) => {
  const hub = await hubWithPerson(t);
  const { page } = await signedIn(t, browser, hub, '/chats/a', { sub: 'root', role: 'admin' });
  const download = page.waitForEvent('download');
  await page.getByRole('button', { name: 'Export for the person' }).click();
  const html = await readFile(await (await download).path(), 'utf8');
  const { page: phone } = await openPage(t, browser, { viewport: { width: 390, height: 844 }, isMobile: true });
  await phone.setContent(html);
  const cell = phone.locator('td', { hasText: 'quero um xilofone' });
  await cell.waitFor();
  const { width } = await cell.boundingBox();
  assert.ok(width > 300, `a text has ${width} pixels`);
  assert.ok(await phone.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'wider than the page');
  // The name of the column, as the phone shows it.
  const label = await cell.evaluate((element) => getComputedStyle(element, '::before').content);
  assert.equal(label, '"Text"');
});

test('an alert and the chats behind a number lose the name of an erased person, also where nothing can be read any more', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  const none = ['waitingWarn', 'idle', 'firstResponseNear', 'firstResponse', 'windowClosing'];
  const thresholds = Object.fromEntries(none.map((name) => [`${name}Seconds`, null]));
  const settings = { businessHours: {}, thresholds: { default: { ...thresholds, waitingSeconds: 60 } } };
  const saved = await fetch(`${hub.origin}/api/umbler/settings`, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(settings),
  });
  assert.equal(saved.status, 200, await saved.text());
  const ago = (delivery, content) => {
    delivery.EventDate = content.LastMessage.EventAtUTC = new Date(Date.now() - 300_000).toISOString();
  };
  for (const chat of ['a', 'b']) await hub.says(chat, 'hello', ago);
  const live = await visit(t, browser, hub, '/live', NO_WORKER);
  await text(live.page, '.alert', 'Contact of a');
  await text(live.page, '.alert', 'Contact of b');
  const reports = await visit(t, browser, hub, '/reports?behind=messagesIn', NO_WORKER);
  await text(reports.page, '.behind', 'Contact of a');
  await live.page.route('**/api/umbler/alerts*', (route) => route.abort());
  await reports.page.route('**/api/umbler/metrics/**', (route) => route.abort());
  await hub.erases('contact-of-a');
  for (const { page, clean } of [live, reports]) {
    await page.waitForFunction(() => !document.documentElement.outerHTML.includes('Contact of a'));
    clean();
  }
  // Another name stays in the alerts, and comes back to the numbers once they can be read.
  await text(live.page, '.alert', 'Contact of b');
  await reports.page.unrouteAll();
  await reports.page.locator('.dialog').getByRole('button', { name: 'Try again' }).click();
  await text(reports.page, '.behind', 'Contact of b');
  assert.ok(!(await reports.page.content()).includes('Contact of a'));
});

test('what was said in another chat of an erased person leaves the details beside the conversation', async (t) => {
  const hub = await spawnDashboard(t, dashboard);
  await hub.says('b', 'quero um xilofone', (_, content) => (content.Contact.Id = 'contact-of-a'));
  await hub.says('a', 'hello');
  const { page, clean } = await visit(t, browser, hub, '/chats/a', { viewport: { width: 1440, height: 900 } });
  await text(page, '.other-chats', 'quero um xilofone');
  await hub.erases('contact-of-a');
  await page.waitForFunction(() => !document.documentElement.outerHTML.includes('xilofone'));
  clean();
});
