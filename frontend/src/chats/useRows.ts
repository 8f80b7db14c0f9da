/** The rows of the list: of all open chats, which are here already, or page by page from the hub. */

import type { Chat } from 'umbler-hub-client';
import { useEffect, useMemo, useState } from 'react';

import { hub, openChats, useHub } from '../hub/hub.tsx';
import { PastRowStore } from '../hub/past-rows.ts';
import { RowStore } from '../hub/rows.ts';
import { useStore } from '../hub/store.ts';
import { useNow } from '../hub/clock.ts';
import { urgencyOf } from '../hub/waits.ts';
import { useLimits } from '../live/limits.ts';
import { byActivity, byWait, isLocal as isHere, matches, type Filters } from './filters.ts';

export interface ShownRows {
  /** Null while nothing is known yet. */
  chats: Chat[] | null;
  total: number | null;
  failure: string | null;
  more: (() => void) | null;
  again: (() => void) | null;
}

export function useRows(filters: Filters): ShownRows {
  const isLocal = isHere(filters);
  const open = useStore(openChats);
  const { isConnected } = useHub();
  const remote = useMemo(() => new RowStore(hub, filters), [filters]);
  // Before the first connection there may be no token. From then on the store listens, for what was missed is told
  // before the connection counts as live again.
  const [begun, setBegun] = useState(isConnected);
  if (isConnected && !begun) setBegun(true);
  useEffect(() => {
    if (isLocal || !begun) return;
    remote.open();
    return () => remote.close();
  }, [remote, isLocal, begun]);
  const listed = useStore(remote);

  const chats = useMemo(() => {
    if (!isLocal) return listed.chats === null ? null : [...listed.chats].sort(byActivity);
    if (!open.complete && open.chats.length === 0) return null;
    const found = open.chats.filter((chat) => matches(chat, filters));
    return filters.wait ? found.sort(byWait) : found;
  }, [isLocal, listed.chats, open, filters]);
  const narrowed = useLate(chats, filters.wait === 'late');

  if (isLocal)
    return {
      chats: narrowed,
      total: open.complete ? (narrowed?.length ?? null) : null,
      failure: open.failure,
      more: null,
      again: null,
    };
  const more = () => void remote.more();
  return { chats, total: listed.total, failure: listed.failure, more: listed.hasMore ? more : null, again: more };
}

/** Those that are late by now; looked at each second only where somebody wants to see them. */
function useLate(chats: Chat[] | null, isWanted: boolean): Chat[] | null {
  const now = useNow();
  const { of } = useLimits();
  const at = isWanted ? now : 0;
  return useMemo(
    () =>
      isWanted && chats !== null
        ? chats.filter(
            ({ waitingSince, sector }) => urgencyOf(at - Date.parse(waitingSince ?? ''), of(sector?.id)) === 'late',
          )
        : chats,
    [chats, isWanted, at, of],
  );
}

/** How to say how many are shown of how many; null: of more than are known, while they are still being read. */
export function countOf(count: number, total: number | null): 'readSoFar' | 'count' | 'countOf' {
  if (total === null) return 'readSoFar';
  return total === count ? 'count' : 'countOf';
}

/** The same as it stood at a moment. */
export function usePastRows(filters: Filters, at: string): ShownRows {
  const { isConnected } = useHub();
  const store = useMemo(() => new PastRowStore(hub, filters, at), [filters, at]);
  const [begun, setBegun] = useState(isConnected);
  if (isConnected && !begun) setBegun(true);
  useEffect(() => {
    if (!begun) return;
    const close = store.open();
    void store.more();
    return close;
  }, [store, begun]);
  const { chats, total, failure, hasMore } = useStore(store);
  const more = () => void store.more();
  return { chats, total, failure, more: hasMore ? more : null, again: more };
}
