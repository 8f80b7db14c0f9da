/** The team's dashboard in development: Vite's server, its proxy, the real hub. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { after, before, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';

import { launch, openPage, text } from '../support/browser.js';
import { atEnd } from '../support/end.js';
import { spawnHub } from '../support/hub.js';

const FRONTEND = join(import.meta.dirname, '../../../frontend');
const VITE = join(FRONTEND, 'node_modules/vite/bin/vite.js');

let browser;
before(async () => (browser = await launch()));
after(() => browser.close());

/** `npm run dev`, on a free port. */
async function dev(t, env) {
  assert.ok(existsSync(VITE), 'run `npm ci` in frontend first');
  const vite = spawn(process.execPath, [VITE, '--host', '127.0.0.1', '--port', '0'], {
    cwd: FRONTEND,
    env: { PATH: process.env.PATH, ...env },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  atEnd(t, async () => {
    vite.kill();
    await once(vite, 'exit');
  });
  let origin;
  for await (const line of createInterface(vite.stdout)) {
    [origin] = /http:\/\/127\.0\.0\.1:\d+/.exec(stripVTControlCharacters(line)) ?? [];
    if (origin !== undefined) break;
  }
  vite.stdout.resume();
  return origin;
}

test('the page talks to its own address, and an update comes through the proxy', async (t) => {
  const hub = await spawnHub(t);
  const origin = await dev(t, { VITE_BACKEND_URL: hub.origin });
  hub.settings.FRONTEND_URL = origin;
  await hub.kill();
  await hub.start();
  const { page, log } = await openPage(t, browser, { locale: 'pt-BR' });
  await page.goto(`${origin}/live`);
  await text(page, '[data-status=connected]', 'Ao vivo');
  await hub.says('a', 'bom dia');
  await text(page, '[data-name=today] .value', '1');
  await page.getByRole('link', { name: 'Conversas', exact: true }).click();
  await text(page, '.chat', 'bom dia');
  // The hub's own answer comes through the proxy too.
  await page.getByRole('link', { name: 'Status' }).click();
  await text(page, '.facts', 'OK');
  const sockets = log.sockets.map((socket) => socket.url()).filter((url) => url.endsWith('/ws'));
  assert.deepEqual(sockets, [`${origin.replace('http', 'ws')}/ws`]);
  assert.deepEqual(log.errors, []);
});

test('VITE_WEBSOCKET_URL leads to the hub directly', async (t) => {
  const hub = await spawnHub(t);
  const origin = await dev(t, { VITE_WEBSOCKET_URL: hub.origin });
  hub.settings.FRONTEND_URL = origin;
  await hub.kill();
  await hub.start();
  const { page, log } = await openPage(t, browser, { locale: 'en-US' });
  await page.goto(`${origin}/live`);
  await text(page, '[data-status=connected]', 'Live');
  assert.ok(log.sockets.some((socket) => socket.url() === hub.socket));
});
