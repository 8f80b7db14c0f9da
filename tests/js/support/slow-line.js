/** A line to a hub that is slow, for pages whose parts shall come one after the other. */

import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { setTimeout as passed } from 'node:timers/promises';

import { atEnd } from './end.js';

/**
 * An origin that leads to the hub's: what the hub sends takes `latencyMs` and, together for all connections, the time that
 * `bytesPerSecond` leave it. Chromium can slow a line down too, but under load it now and then never ended a load.
 */
export async function slowLine(t, { origin }, { latencyMs, bytesPerSecond }) {
  const { hostname, port } = new URL(origin);
  let freeAt = 0;
  const open = new Set();
  const server = createServer((near) => {
    const far = connect(Number(port), hostname);
    const end = () => {
      open.delete(end);
      near.destroy();
      far.destroy();
    };
    open.add(end);
    near.on('error', end).on('close', end).pipe(far);
    let sent = Promise.resolve();
    const later = (length, act) => {
      const now = performance.now();
      freeAt = Math.max(freeAt, now) + (1000 * length) / bytesPerSecond;
      const dueAt = freeAt + latencyMs;
      sent = sent.then(() => passed(dueAt - performance.now())).then(act);
    };
    far.on('data', (bytes) => later(bytes.length, () => near.write(bytes)));
    far.on('end', () => later(0, () => near.end())).on('error', end);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  atEnd(t, () => {
    server.close();
    for (const end of open) end();
  });
  return `http://127.0.0.1:${server.address().port}`;
}
