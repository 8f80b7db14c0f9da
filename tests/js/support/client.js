/** A client on a fake hub and a clock that a test moves. */

import { UmblerHubClient } from '../../../static/client/index.js';
import { Clock } from './clock.js';
import { atEnd } from './end.js';
import { FakeHub, inTime } from './fake-hub.js';

/** Starts a hub and a client; both end with the test. */
export async function pair(t, { options = {}, runtime = {}, script = {} } = {}) {
  const hub = await FakeHub.start();
  Object.assign(hub.script, script);
  const clock = new Clock();
  hub.now = () => clock.time;
  const client = new UmblerHubClient({ url: hub.url, ...options }, clock.runtime(runtime));
  atEnd(t, async () => {
    client.disconnect();
    await hub.stop();
  });
  return { hub, clock, client };
}

/** The next event, optionally one that fits. */
export function next(client, event, fits = () => true) {
  return inTime(event, (resolve) => {
    const stop = client.on(event, (data, envelope) => {
      if (!fits(data, envelope)) return;
      stop();
      resolve(data);
    });
  });
}

/** Waits until the client has this status. */
export function status(client, wanted) {
  return client.status === wanted ? Promise.resolve(wanted) : next(client, 'status', (now) => now === wanted);
}

/** Everything that the client tells of an event, as it comes. */
export function record(client, event) {
  const all = [];
  client.on(event, (data, envelope) => all.push(envelope ?? data));
  return all;
}

/** Lets time pass until the client tries again. */
export function attempt(client, clock) {
  while (client.transport === null) clock.pass(50);
}
