/** Screens: the browser client, as the dashboard has it, each with its own connection through the balancer. */

import { UmblerHubClient } from '../../static/client/index.js';
import { until } from './programs.mjs';

class Screen {
  constructor(number, url) {
    this.name = `screen ${number + 1}`;
    /** Positions of updates in the order in which they came. */
    this.heard = [];
    /** Where it began; updates behind it must all come. */
    this.since = null;
    this.snapshots = 0;
    this.returns = 0;
    const screen = this;
    // The client keeps answers to itself; where it began and whether it came back without a gap, only they say.
    class Listened extends WebSocket {
      constructor(address) {
        super(address);
        this.addEventListener('message', ({ data }) => {
          if (data.includes('"subscribed"')) screen.subscribed(JSON.parse(data).data);
        });
      }
    }
    const options = { url, transport: 'websocket', keepPosition: false };
    this.client = new UmblerHubClient(options, { WebSocket: Listened });
    this.client.on('umbler_update', (_, { seq }) => this.heard.push(seq));
  }

  subscribed({ seq, recovered }) {
    if (this.since === null) this.since = seq;
    else if (recovered) this.returns += 1;
    else this.snapshots += 1;
  }

  /** What it missed, heard twice or heard in another order. */
  differences(ledger) {
    if (this.since === null) return [`${this.name} was never live`];
    const wanted = ledger.positionsAfter(this.since);
    const at = wanted.findIndex((seq, place) => this.heard[place] !== seq);
    const found = this.snapshots > 0 ? [`${this.name} had to begin anew ${this.snapshots} times`] : [];
    if (at >= 0) found.push(`${this.name} heard ${this.heard[at] ?? 'nothing'} where position ${wanted[at]} is`);
    else if (this.heard.length > wanted.length) found.push(`${this.name} heard more than hubs show`);
    return found;
  }
}

export class Screens {
  constructor(count, url) {
    this.all = Array.from({ length: count }, (_, number) => new Screen(number, url));
  }

  async connect() {
    for (const { client } of this.all) {
      void client.connect().catch(() => {});
      void client.subscribeToUpdates(['updates']).catch(() => {});
    }
    await until('all screens are live', () => this.all.every(({ since }) => since !== null));
  }

  get live() {
    return this.all.filter(({ client }) => client.status === 'connected').length;
  }

  get returns() {
    return this.all.reduce((sum, { returns }) => sum + returns, 0);
  }

  /** Waits until each has heard this position. */
  reach(seq) {
    const isThere = ({ heard, since }) => since >= seq || (heard.at(-1) ?? 0) >= seq;
    // Whoever does not get there is named by what differs.
    return until('all screens are up to date', () => this.all.every(isThere), { patienceMs: 30_000 }).catch(() => {});
  }

  differences(ledger) {
    return this.all.flatMap((screen) => screen.differences(ledger));
  }

  close() {
    for (const { client } of this.all) client.disconnect();
  }
}
