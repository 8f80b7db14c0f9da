/**
 * A hub whose clock stands still in the middle of a made-up working day, and pages whose clock stands there with it: what
 * they show is the same each time, whatever day it is and however busy the machine.
 */

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

import { live, spawnDashboard, visit } from './dashboard.js';
import { BINARY } from './hub.js';

const run = promisify(execFile);

/** A Wednesday, 14:32:10 in São Paulo. */
export const NOW = '2026-03-04T17:32:10Z';
const ZONE = 'America/Sao_Paulo';
/** Its working day began at 8:00, and the same weekday two weeks and one week before is there to compare with. */
const TODAY = { start: '2026-03-04T11:00:00Z', seed: 7, isOver: false };
const BEFORE = [
  { start: '2026-02-18T11:00:00Z', seed: 21, isOver: true },
  { start: '2026-02-25T11:00:00Z', seed: 22, isOver: true },
];
const DELIVERIES = 700;
/** The simulator writes two a second; so much slower they fill the day from 8:00 to 14:25. */
const SLOWER = 66;
const MOMENT = /\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z/g;
/** What the directory calls the agents of the simulator, the last of whom it does not know. */
const AGENTS = ['Bia Modelo', 'Caio Teste', 'Duda Amostra', 'Enzo Exemplo', 'Fábia Ensaio'];
const AGENT = (number) => `Z4ELwFoR_gAGENT${number}`;

/** How to let a program's clock stand still; null where `faketime` is not installed. */
export async function stillClock() {
  const preload = await run('faketime', ['-m', '-f', '+0', 'sh', '-c', 'printf %s "$LD_PRELOAD"']).then(
    ({ stdout }) => stdout,
    () => null,
  );
  if (preload === null) return null;
  return {
    LD_PRELOAD: preload,
    FAKETIME: NOW.replace('T', ' ').replace('Z', ''),
    // Timers go on: only the time of day stands still.
    DONT_FAKE_MONOTONIC: '1',
    FAKETIME_DONT_FAKE_MONOTONIC: '1',
    TZ: 'UTC',
    TIMEZONE: ZONE,
  };
}

/** A hub in the middle of its day. */
export async function spawnStill(t, dashboard, clock) {
  const hub = await spawnDashboard(t, dashboard, clock);
  await put(hub, '/api/umbler/settings', {
    businessHours: Object.fromEntries(
      ['monday', 'tuesday', 'wednesday', 'thursday', 'friday'].map((day) => [day, [['08:00', '18:00']]]),
    ),
    holidays: [{ date: '2026-04-21', name: 'Tiradentes' }],
    thresholds: {
      default: {
        waitingWarnSeconds: 1200,
        waitingSeconds: 3600,
        idleSeconds: null,
        firstResponseNearSeconds: null,
        firstResponseSeconds: 5400,
        windowClosingSeconds: null,
      },
      sectors: {},
    },
  });
  for (const [at, name] of AGENTS.entries())
    await put(hub, `/api/umbler/members/${AGENT(at + 1)}`, { name, photoUrl: null, sectorId: null });
  for (const day of [...BEFORE, TODAY]) for (const delivery of await dayOf(day)) await hub.post(delivery);
  return hub;
}

/** A page of it whose clock stands where the hub's does, once nothing on it moves any more. */
export async function visitStill(t, browser, hub, path, options = {}) {
  const opened = await visit(t, browser, hub, path, { stillAt: Date.parse(NOW), ...options });
  await live(opened.page);
  await settled(opened.page);
  return opened;
}

export async function settled(page) {
  await page.waitForFunction(() => !document.querySelector('[aria-busy=true], .mantine-Skeleton-root'));
  await page.evaluate(() => document.fonts.ready);
}

/** Deliveries of a day of the simulator, in order. A day that is over leaves no chat open. */
async function dayOf({ start, seed, isOver }) {
  const args = ['simulate', '--seed', seed, '--count', DELIVERIES, '--start', start, '--out', '-'].map(String);
  const { stdout } = await run(BINARY, args, { maxBuffer: 64 * 1024 * 1024 });
  const begun = Date.parse(start);
  const slower = (moment) => new Date(begun + (Date.parse(moment) - begun) * SLOWER).toISOString();
  const deliveries = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line.replaceAll(MOMENT, slower)));
  return isOver ? [...deliveries, ...closings(deliveries)] : deliveries;
}

function closings(deliveries) {
  const last = new Map();
  for (const delivery of deliveries) last.set(delivery.Payload.Content.Id, delivery);
  const at = deliveries.at(-1).EventDate;
  return [...last.values()]
    .filter(({ Payload: { Content } }) => Content.Open)
    .map((delivery) => {
      const closed = structuredClone(delivery);
      Object.assign(closed, { EventId: `closed-${delivery.EventId}`, Type: 'ChatClosed', EventDate: at });
      Object.assign(closed.Payload.Content, { Open: false, ClosedAtUTC: at });
      return closed;
    });
}

async function put(hub, path, body) {
  const response = await fetch(hub.origin + path, {
    method: 'PUT',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  if (!response.ok) throw new Error(`${path} answered ${response.status}: ${await response.text()}`);
}
