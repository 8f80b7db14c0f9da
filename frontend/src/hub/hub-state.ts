/** What the hub says of itself: whether it takes deliveries in, and keeps up with its cluster. */

import type { UmblerHubClient } from 'umbler-hub-client';

import { Store } from './store.ts';

export interface HubState {
  status: 'ok' | 'unwritable' | 'behind' | 'draining';
  reason: string | null;
  since: string | null;
}

const OK: HubState = { status: 'ok', reason: null, since: null };

export class HubStateStore extends Store<HubState> {
  constructor(client: UmblerHubClient) {
    super(OK);
    // After the greeting the hub tells its state only where it is not well.
    client.on('connection_established', () => this.set(OK));
    client.on('*', (data, { event }) => {
      if (event === 'hub_status')
        this.set({ status: data.status, reason: data.reason ?? null, since: data.since ?? null });
    });
  }
}
