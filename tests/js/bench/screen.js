/**
 * What the list of chats costs a browser with many open chats while messages come: frames, work between frames, how soon a
 * key, a letter and a click are answered, what moves by itself, and memory. It prints each beside its bound and judges nothing:
 * a busy machine is a slow one.
 *
 *   node bench/screen.js [open chats, 50000] [messages a second, 100] [seconds of each part, 10]
 */

import { randomUUID } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { loadavg } from 'node:os';
import { join } from 'node:path';

import { launch, text } from '../support/browser.js';
import { buildDashboard, live, spawnDashboard, visit } from '../support/dashboard.js';

const [CHATS = 50_000, RATE = 100, SECONDS = 10] = process.argv.slice(2).map(Number);
const POSTS_AT_ONCE = 64;
const WHEEL_PX = 240;
/** Within so long an input is to be painted: what takes longer feels slow. */
const INPUT_MS_MAX = 100;
/** The browser tells of no input that took less. */
const TOLD_MS = 16;
/** Of a load, as the browser counts it. */
const SHIFT_MAX = 0.02;
/** Between two inputs of somebody who is quick. */
const INPUT_EVERY_MS = 60;

const FIXTURE = join(import.meta.dirname, '../../fixtures/deliveries/01_message_text_contact.json');

/** What a test would close at its end. */
const ends = [];
const t = { after: (close) => ends.push(close) };

const say = (name, value) => console.log(`${name.padEnd(44)} ${value}`);
const ms = (value) => `${value.toFixed(1)} ms`;
const at = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0;
const spread = (values) => {
  const sorted = values.toSorted((a, b) => a - b);
  return `median ${ms(at(sorted, 0.5))}, 95 % ${ms(at(sorted, 0.95))}, 99 % ${ms(at(sorted, 0.99))}, most ${ms(sorted.at(-1) ?? 0)}`;
};

const template = await readFile(FIXTURE, 'utf8');
function delivery(chat) {
  const made = JSON.parse(template);
  const now = new Date().toISOString();
  Object.assign(made, { EventId: randomUUID(), EventDate: now });
  const { Content: content } = made.Payload;
  content.Id = `chat-${chat}`;
  Object.assign(content.Contact, { Id: `contact-${chat}`, Name: `Pessoa ${chat}` });
  content.OrganizationMember = { Id: `agent-${chat % 40}` };
  content.Sector = { Id: `sector-${chat % 8}`, Name: `Setor ${chat % 8}` };
  Object.assign(content.LastMessage, {
    Id: randomUUID(),
    Chat: { Id: content.Id },
    Content: `Mensagem ${now}`,
    EventAtUTC: now,
  });
  return made;
}

async function fill(hub) {
  let next = 0;
  const worker = async () => {
    while (next < CHATS) {
      next += 1;
      await hub.post(delivery(next));
    }
  };
  await Promise.all(Array.from({ length: POSTS_AT_ONCE }, worker));
}

/** So many a second by the clock, until the answer is called. */
function keepPosting(hub) {
  let [posted, over] = [0, false];
  const begun = performance.now();
  const loop = async () => {
    while (!over) {
      const due = ((performance.now() - begun) / 1000) * RATE;
      while (posted < due) {
        posted += 1;
        void hub.post(delivery(1 + Math.floor(Math.random() * CHATS))).catch(() => {});
      }
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
  };
  void loop();
  return () => {
    over = true;
    return (posted / (performance.now() - begun)) * 1000;
  };
}

/** Runs in the page. */
function observe() {
  window.seen = { frames: [], shifts: 0, events: [], inputs: 0, long: [] };
  let last = performance.now();
  const frame = (now) => {
    window.seen.frames.push(now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
  const watch = (type, note, more = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(note)).observe({ type, ...more });
  watch('layout-shift', ({ value, hadRecentInput }) => (window.seen.shifts += hadRecentInput ? 0 : value));
  watch('longtask', ({ duration }) => window.seen.long.push(duration));
  const kinds = ['keydown', 'click'];
  for (const kind of kinds) addEventListener(kind, () => (window.seen.inputs += 1), true);
  watch('event', ({ name, duration }) => kinds.includes(name) && window.seen.events.push(duration), {
    durationThreshold: 16,
  });
}

/** How long each task of the page's own thread took, out of a trace. */
function tasksOf(events) {
  const mains = new Set(
    events
      .filter(({ name, args }) => name === 'thread_name' && args.name === 'CrRendererMain')
      .map(({ pid, tid }) => `${pid} ${tid}`),
  );
  const busy = new Map();
  for (const { name, pid, tid, dur = 0 } of events) {
    const key = `${pid} ${tid}`;
    if (name.endsWith('RunTask') && mains.has(key)) busy.set(key, [...(busy.get(key) ?? []), dur / 1000]);
  }
  const sum = (values) => values.reduce((all, one) => all + one, 0);
  // The page that is measured is the one that works.
  return [...busy.values()].sort((a, b) => sum(b) - sum(a))[0] ?? [];
}

async function memory(line) {
  await line.send('HeapProfiler.collectGarbage');
  const { metrics } = await line.send('Performance.getMetrics');
  const of = (wanted) => metrics.find(({ name }) => name === wanted).value;
  return `${(of('JSHeapUsedSize') / 1e6).toFixed(0)} MB of heap, ${of('Nodes')} nodes`;
}

const ratio = (share) => share.toFixed(2);

function sayInputs(took) {
  const sorted = took.toSorted((a, b) => a - b);
  const share = (which) => `${which * 100} % ${ratio(at(sorted, which) / INPUT_MS_MAX)}`;
  const over = sorted.filter((one) => one > INPUT_MS_MAX).length;
  say('  an input until it is painted', spread(sorted));
  say(`  of the bound of ${INPUT_MS_MAX} ms`, `${share(0.95)}, ${share(0.99)}; over it ${over} of ${sorted.length}`);
}

async function part(page, line, name, act) {
  await page.evaluate(() => Object.assign(window.seen, { frames: [], shifts: 0, events: [], inputs: 0, long: [] }));
  const events = [];
  const note = ({ value }) => events.push(...value);
  line.on('Tracing.dataCollected', note);
  const traceConfig = { includedCategories: ['toplevel', 'disabled-by-default-devtools.timeline', '__metadata'] };
  await line.send('Tracing.start', { traceConfig });
  const until = performance.now() + SECONDS * 1000;
  while (performance.now() < until) await act();
  const done = new Promise((resolve) => line.once('Tracing.tracingComplete', resolve));
  await line.send('Tracing.end');
  await done;
  line.off('Tracing.dataCollected', note);
  const { frames, shifts, events: told, inputs, long } = await page.evaluate(() => window.seen);
  const tasks = tasksOf(events);
  console.log(`\n${name}`);
  say('  frames a second', (frames.length / SECONDS).toFixed(1));
  say('  between frames', spread(frames));
  say('  tasks of the page', spread(tasks.filter((one) => one >= 0.1)));
  say('  tasks over 16.7 ms', `${tasks.filter((one) => one > 16.7).length} of ${tasks.length}`);
  say('  tasks over 50 ms', String(long.length));
  if (inputs > 0) sayInputs([...told, ...Array(Math.max(0, inputs - told.length)).fill(TOLD_MS)]);
  say('  layout shift', `${shifts.toFixed(4)}, ${ratio(shifts / SHIFT_MAX)} of ${SHIFT_MAX}`);
}

const [browser, dashboard] = await Promise.all([launch(), buildDashboard()]);
ends.push(
  () => browser.close(),
  () => dashboard.remove(),
);
try {
  say('load of the machine', loadavg()[0].toFixed(1));
  const hub = await spawnDashboard(t, dashboard, { RATE_LIMIT_REST_PER_SECOND: '0' });
  let begun = performance.now();
  await fill(hub);
  say(`${CHATS} chats posted`, `${((performance.now() - begun) / 1000).toFixed(1)} s`);
  const { page } = await visit(t, browser, hub, '/nowhere', {
    viewport: { width: 1440, height: 900 },
    locale: 'en-US',
  });
  page.setDefaultTimeout(300_000);
  await page.addInitScript(observe);
  const line = await page.context().newCDPSession(page);
  await line.send('Performance.enable');
  begun = performance.now();
  await page.goto(`${hub.origin}/chats`);
  await live(page);
  await text(page, '.count', `${CHATS.toLocaleString('en-US')} chats`);
  say('all of them in the list', `${((performance.now() - begun) / 1000).toFixed(1)} s`);
  say('memory', await memory(line));

  await page.mouse.move(180, 500);
  const scroll = () => page.mouse.wheel(0, WHEEL_PX);
  const pause = () => new Promise((resolve) => setTimeout(resolve, INPUT_EVERY_MS));
  const press = async () => {
    await page.keyboard.press('j');
    await pause();
  };
  let letters = 0;
  const type = async () => {
    letters += 1;
    await page.keyboard.press(letters % 10 < 5 ? 'x' : 'Backspace');
    await pause();
  };
  const open = async () => {
    await page.mouse.click(180, 420 + Math.floor(Math.random() * 5) * 72);
    await pause();
  };
  await part(page, line, 'Scrolling, nothing comes', scroll);
  const stop = keepPosting(hub);
  await part(page, line, `Scrolling, ${RATE} messages a second`, scroll);
  await page.evaluate(() => document.querySelector('.scroll').scrollTo(0, 0));
  await part(page, line, `Going through the list by keys, ${RATE} messages a second`, press);
  await page.evaluate(() => document.querySelector('.scroll').scrollTo(0, 0));
  await part(page, line, `Opening chats by clicks, ${RATE} messages a second`, open);
  await page.goto(`${hub.origin}/chats`);
  await text(page, '.count', `${CHATS.toLocaleString('en-US')} chats`);
  await page.locator('.list input[type=search]').focus();
  await part(page, line, `Typing into the search, ${RATE} messages a second`, type);
  await page.goto(`${hub.origin}/live`);
  await live(page);
  await page.locator('.waiting').first().waitFor();
  await part(
    page,
    line,
    `Live, looked at, ${RATE} messages a second`,
    () => new Promise((resolve) => setTimeout(resolve, 100)),
  );
  say('\nposted a second', stop().toFixed(1));
  await page.goto(`${hub.origin}/chats`);
  await text(page, '.count', `${CHATS.toLocaleString('en-US')} chats`);
  await page.mouse.move(180, 500);
  await page.evaluate(() => document.querySelector('.scroll').scrollTo(0, 1e9));
  say('memory at the end of the list', await memory(line));
  say('load of the machine', loadavg()[0].toFixed(1));
} finally {
  for (const end of ends.toReversed()) await end();
}
