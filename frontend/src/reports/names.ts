/** Names that tables brought along, by what they are of: an explanation holds ids alone. `Named.tsx` says how they are shown. */

import type { UmblerHubClient } from 'umbler-hub-client';

import { hub } from '../hub/hub.tsx';
import { Store } from '../hub/store.ts';
import type { FILTERS, Grouping, Row } from './metrics.ts';

type Filter = (typeof FILTERS)[number];
export type Names = Map<Filter, Map<string, string | null>>;

export const FILTER_OF: Record<Grouping, Filter> = {
  agents: 'agent',
  sectors: 'sector',
  channels: 'channel',
  tags: 'tag',
};

export class NameStore extends Store<Names> {
  constructor(client: UmblerHubClient) {
    super(new Map());
    client.on('status', (status) => {
      // Another user may sign in next, and see less.
      if (status === 'unauthorized') this.set(new Map());
    });
  }

  learn(grouping: Grouping, rows: Row[]) {
    const filter = FILTER_OF[grouping];
    const known = new Map(this.get().get(filter));
    let changed = false;
    for (const { id, name = null } of rows) {
      if (!id || known.get(id) === name) continue;
      known.set(id, name);
      changed = true;
    }
    if (changed) this.set(new Map(this.get()).set(filter, known));
  }
}

export const names = new NameStore(hub);
