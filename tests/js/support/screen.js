/** A client in Node on a real hub, with the real clock. */

import WebSocket from 'ws';

import { UmblerHubClient } from '../../../static/client/index.js';
import { atEnd } from './end.js';

export { next, record, status } from './client.js';

/** A client that ends with the test. */
export function screen(t, hub, options = {}, runtime = {}) {
  const client = new UmblerHubClient({ url: hub.socket, ...options }, { WebSocket, ...runtime });
  atEnd(t, () => client.disconnect());
  return client;
}

/** Waits until the data is as wanted. */
export function until(client, fits, what = 'the data as wanted') {
  if (fits(client.data)) return Promise.resolve(client.data);
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come`)), 60_000);
    const stop = client.on('data', (data) => {
      if (!fits(data)) return;
      clearTimeout(timer);
      stop();
      resolve(data);
    });
  });
}
