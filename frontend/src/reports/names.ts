/** Names that tables brought along, by what they are of: an explanation holds ids alone. */

import { Store, useStore } from '../hub/store.ts';
import type { FILTERS, Grouping, Row } from './metrics.ts';

type Filter = (typeof FILTERS)[number];
type Names = Map<Filter, Map<string, string | null>>;

export const FILTER_OF: Record<Grouping, Filter> = { agents: 'agent', sectors: 'sector', channels: 'channel', tags: 'tag' };

const store = new Store<Names>(new Map());

export function useNames(): Names {
  return useStore(store);
}

export function nameOf(filter: Filter, id: string): string | null {
  return store.get().get(filter)?.get(id) ?? null;
}

export function learn(grouping: Grouping, rows: Row[]) {
  const filter = FILTER_OF[grouping];
  const known = new Map(store.get().get(filter));
  const before = known.size;
  let changed = false;
  for (const { id, name = null } of rows) {
    if (!id || known.get(id) === name) continue;
    known.set(id, name);
    changed = true;
  }
  if (changed || known.size !== before) store.set(new Map(store.get()).set(filter, known));
}
