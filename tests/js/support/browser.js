/** Debian's Chromium, and pages of real React in it. */

import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { build } from 'esbuild';
import { chromium } from 'playwright-core';

import { atEnd } from './end.js';

const HERE = import.meta.dirname;
const CLIENT = join(HERE, '../../../static/client');

const CHROMIUM = process.env.CHROME ?? ['/usr/bin/chromium', '/usr/bin/google-chrome'].find(existsSync);
const FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];

/** How far `faketime` has moved the clock of this process, in milliseconds. */
const FAKED_MS = 1000 * Number(/^([+-]\d+)s$/.exec(process.env.FAKETIME ?? '')?.[1] ?? 0);

/** How many times slower than here pages run, as on a small phone: `scripts/flakes.sh --slow-pages` says so. */
const SLOWER = Number(process.env.SLOW_PAGES ?? 1);

/** One browser for a file of tests. It does not start on a faked clock: its pages have theirs moved. */
export async function launch() {
  const { LD_PRELOAD, ...env } = process.env;
  return chromium.launch({ executablePath: CHROMIUM, headless: true, args: FLAGS, env });
}

/**
 * A page with what it says: console lines, sockets, frames, errors. Nothing but this machine is reached. `clockOffMs`: how
 * far the clock of its computer is ahead; `stillAt`: where its clock stands still; `storageDenied`: its browser lets no page keep anything.
 */
export async function openPage(t, browser, { clockOffMs = 0, stillAt = null, storageDenied = false, ...options } = {}) {
  const context = await browser.newContext(options);
  atEnd(t, () => context.close());
  const aheadMs = FAKED_MS + clockOffMs;
  if (stillAt !== null) await context.addInitScript(stopClock, stillAt);
  else if (aheadMs !== 0) await context.addInitScript(moveClock, aheadMs);
  if (storageDenied) await context.addInitScript(denyStorage);
  const page = await context.newPage();
  page.setDefaultTimeout(40_000);
  if (SLOWER > 1) await slowDown(page, SLOWER);
  const log = { console: [], errors: [], sockets: [], sent: [], requests: [] };
  page.on('console', (message) => log.console.push(message.text()));
  page.on('pageerror', (error) => log.errors.push(error.message));
  page.on('request', (request) => log.requests.push(request.url()));
  page.on('websocket', (socket) => {
    log.sockets.push(socket);
    socket.on('framesent', ({ payload }) => log.sent.push(JSON.parse(payload)));
  });
  return { page, log };
}

/** From now on the page computes so many times slower. */
export async function slowDown(page, rate) {
  const session = await page.context().newCDPSession(page);
  await session.send('Emulation.setCPUThrottlingRate', { rate });
}

/** Runs in the page, before everything else there. */
function moveClock(ms) {
  const { Date: Right } = window;
  window.Date = class extends Right {
    constructor(...given) {
      if (given.length === 0) super(Right.now() + ms);
      else super(...given);
    }

    static now() {
      return Right.now() + ms;
    }
  };
}

/** Runs in the page. Timers go on, and always find the same time. */
function stopClock(ms) {
  const { Date: Right } = window;
  window.Date = class extends Right {
    constructor(...given) {
      if (given.length === 0) super(ms);
      else super(...given);
    }

    static now() {
      return ms;
    }
  };
  const begun = performance.now();
  performance.now = () => begun;
}

/** Runs in the page too. A browser that denies storage throws at the mere look. */
function denyStorage() {
  for (const name of ['localStorage', 'sessionStorage']) {
    Object.defineProperty(window, name, {
      get() {
        throw new DOMException('Access is denied for this document.', 'SecurityError');
      },
    });
  }
}

/** Serves pages built from `browser/pages`, on an origin of their own, as a developer's server would. */
export async function servePages(t) {
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://pages');
    const script = /^\/(\w+)\.js$/.exec(pathname);
    if (script) {
      response.writeHead(200, { 'content-type': 'text/javascript' }).end(await bundle(script[1], server.hub));
    } else {
      const name = pathname.slice(1);
      response.writeHead(200, { 'content-type': 'text/html' });
      response.end(
        `<!doctype html><meta charset="utf-8"><div id="root"></div><script type="module" src="/${name}.js"></script>`,
      );
    }
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    server.closeAllConnections();
    server.close();
  });
  return { origin: `http://127.0.0.1:${server.address().port}`, talkTo: (hub) => (server.hub = hub) };
}

/** As a build with `VITE_WEBSOCKET_URL` does it. */
async function bundle(name, hub) {
  const { outputFiles } = await build({
    entryPoints: [join(HERE, '../browser/pages', `${name}.jsx`)],
    bundle: true,
    write: false,
    format: 'esm',
    jsx: 'automatic',
    nodePaths: [join(HERE, '../node_modules')],
    alias: { 'umbler-hub-client/react': join(CLIENT, 'react.js') },
    define: {
      'process.env.NODE_ENV': '"development"',
      'import.meta.env': JSON.stringify({ VITE_WEBSOCKET_URL: hub?.socket }),
    },
    logLevel: 'silent',
  });
  return outputFiles[0].text;
}

/**
 * Waits until a part of the page says this, in these very letters: without regard to capitals, "Saved." would be
 * found in "There are changes that are not saved."
 */
export const text = (page, selector, wanted) => {
  const hasText = typeof wanted === 'string' ? new RegExp(wanted.replace(/[\\^$.*+?()[\]{}|]/g, '\\$&')) : wanted;
  return page.locator(selector, { hasText }).first().waitFor();
};
