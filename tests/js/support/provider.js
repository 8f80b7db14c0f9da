/** The simulator: a team's day, and Umbler's API, which takes what the hub sends and reports it by webhook. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import { createInterface } from 'node:readline';

import { atEnd } from './end.js';
import { BINARY } from './hub.js';

/** The settings of a hub that sends to it. */
export async function sendingSettings() {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return {
    UMBLER_API_URL: `http://127.0.0.1:${port}/api`,
    UMBLER_API_TOKEN: 'simulated-token-of-the-api',
    UMBLER_SEND: 'on',
  };
}

/** Posts an hour of a team's day to a hub with these settings; then nothing happens but what the hub sends. */
export async function simulate(t, hub, settings, seed = 7) {
  const address = new URL(settings.UMBLER_API_URL).host;
  const words = [
    'simulate',
    '--url',
    hub.origin,
    '--api',
    address,
    '--seed',
    String(seed),
    '--backfill',
    '1',
    '--rate',
    '0.0005',
  ];
  const child = spawn(BINARY, words, { cwd: hub.home, stdio: ['ignore', 'pipe', 'inherit'] });
  atEnd(t, () => child.kill('SIGKILL'));
  for await (const line of createInterface(child.stdout)) if (line.endsWith('the present goes on')) return;
  throw new Error('the simulator ended before the hour was posted');
}

/** Open chats with customers in which the hub lets everybody write. */
export async function openChats(hub) {
  const { chats } = await hub.json('/api/umbler/chats?status=open&kind=direct&limit=50');
  const found = [];
  for (const chat of chats) {
    const { writing } = await hub.json(`/api/umbler/chats/${encodeURIComponent(chat.id)}/outbox`);
    if (writing.refused === null) found.push(chat.id);
  }
  return found;
}
