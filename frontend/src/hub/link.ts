/** The link to Umbler's API, as the hub has it: read at the beginning, now and then, and whenever it is told to have changed. */

import type { LinkAlert, LinkBackfill, Named, UmblerHubClient } from 'umbler-hub-client';

import { reasonOf } from './errors.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export interface Link {
  state: 'off' | 'starting' | 'ok' | 'not_allowed' | 'unreachable' | 'misled' | 'undecided';
  reason: string | null;
  /** Every message that happened until then is known; null before the first comparison. */
  completeUntil: string | null;
  availableFrom: string | null;
  sweep: { endedAt: string; chats: number; messages: number; states: number; problem: string | null } | null;
  silence: { finding: 'heard' | 'quiet' | 'deliveries_lost' | 'silent_unverified'; lost: number } | null;
  webhook: {
    finding: 'ok' | 'unknown_address' | 'missing' | 'paused' | 'channels_missing' | 'events_missing' | 'not_allowed';
    checkedAt: string;
    channelsMissing: string[];
    eventsMissing: string[];
    otherApplications: string[];
  } | null;
  directory: { refreshedAt: string; members: number } | null;
  /** Who is online in Umbler Talk; null where that is not known, or not for this user. Left out by an older hub. */
  online?: { readAt: string; agents: Named[] } | null;
  backfill: LinkBackfill | null;
  alerts: LinkAlert[];
}

export const PATH = '/api/umbler/link';
/** A comparison moves how far everything is known without telling it. */
const READ_MS = 15_000;

export class LinkStore extends Store<Link | null> {
  #client: UmblerHubClient;
  #reading = 0;
  failure: string | null = null;

  constructor(client: UmblerHubClient) {
    super(null);
    this.#client = client;
    onStream(client, () => void this.read());
    client.on('umbler_update', ({ type }) => {
      if (type === 'link_updated') void this.read();
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.set(null);
    });
    // Without a page nobody looks.
    if (typeof document === 'undefined') return;
    setInterval(() => {
      const isLooked = document.visibilityState === 'visible';
      if (isLooked && client.status === 'connected' && this.get()?.state !== 'off') void this.read();
    }, READ_MS);
  }

  async read() {
    const reading = ++this.#reading;
    try {
      const link = (await this.#client.get(PATH)) as Link;
      this.failure = null;
      if (reading === this.#reading) this.set(link);
    } catch (error) {
      // A hub of a version without a link has nothing to show; the next reading tries again.
      this.failure = reasonOf(error);
    }
  }

  /** Has the link look at everything; true where it did within the time that the hub waits. */
  async recheck(): Promise<boolean> {
    const { finished, link } = (await this.#client.send('POST', `${PATH}/recheck`)) as {
      finished: boolean;
      link: Link;
    };
    this.#reading += 1;
    this.set(link);
    return finished;
  }

  /** Has the hub create its webhook at Umbler; the names of the lines that post here from then on. */
  async register(): Promise<string[]> {
    const { lines } = (await this.#client.send('POST', `${PATH}/webhook`)) as { lines: string[] };
    await this.recheck();
    return lines;
  }

  async backfill(days: number) {
    await this.#client.send('POST', `${PATH}/backfill`, { days });
    await this.read();
  }
}
