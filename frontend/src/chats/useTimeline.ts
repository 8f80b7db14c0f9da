/** What happened to a chat, as far back as its messages are read. */

import { useCallback, useEffect, useRef, useState } from 'react';
import type { Named } from 'umbler-hub-client';

import { isMissing, reasonOf } from '../hub/errors.ts';
import { hub, useHub } from '../hub/hub.tsx';

export interface Step {
  at: string;
  eventId: string;
  type: string;
  from: Named | null;
  to: Named | null;
  tags: Named[];
}

export interface Timeline {
  /** The latest first; null before they are read. */
  steps: Step[] | null;
  hasMore: boolean;
  failure: string | null;
  missing: boolean;
  more: () => void;
  again: () => void;
}

interface Page {
  timeline: Step[];
  nextCursor: string | null;
}

const PAGE = 50;

/** Up to a moment, where one is given: what came after it is left out. Without an id nothing is read. */
export function useTimeline(id: string | null, until?: string): Timeline {
  const { isConnected } = useHub();
  const [begun, setBegun] = useState(isConnected);
  if (isConnected && !begun) setBegun(true);
  const [steps, setSteps] = useState<Step[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [missing, setMissing] = useState(false);
  const [cursor, setCursor] = useState<string | null>(null);
  const asked = useRef(0);
  const read = useCallback(
    async (further: string | null) => {
      if (id === null) return;
      const round = ++asked.current;
      try {
        let from = further;
        let found: Step[] = [];
        do {
          const page: Page = await hub.get(`/api/umbler/chats/${encodeURIComponent(id)}/timeline`, {
            limit: PAGE,
            cursor: from ?? undefined,
          });
          if (round !== asked.current) return;
          from = page.nextCursor;
          found =
            until === undefined ? page.timeline : page.timeline.filter(({ at }) => Date.parse(at) <= Date.parse(until));
          // The latest come first: pages of later ones alone are passed over.
        } while (found.length === 0 && from !== null);
        setCursor(from);
        setSteps((before) => [...(further === null ? [] : (before ?? [])), ...found]);
        setFailure(null);
      } catch (error) {
        if (round !== asked.current) return;
        if (isMissing(error)) setMissing(true);
        else setFailure(reasonOf(error));
      }
    },
    [id, until],
  );
  useEffect(() => {
    if (!begun) return;
    void read(null);
    if (until !== undefined) return;
    return hub.on('umbler_update', ({ chat, changes = [] }) => {
      if (chat?.id === id && changes.some((change) => change.startsWith('chat_'))) void read(null);
    });
  }, [id, until, read, begun]);
  return {
    steps,
    hasMore: cursor !== null,
    failure,
    missing,
    more: useCallback(() => void read(cursor), [read, cursor]),
    again: useCallback(() => void read(null), [read]),
  };
}

/** Reads on until what is known reaches as far back as the oldest message that is shown. */
export function useReach({ steps, hasMore, failure, more }: Timeline, oldest: string | undefined) {
  const last = steps?.at(-1)?.at;
  useEffect(() => {
    if (
      hasMore &&
      failure === null &&
      last !== undefined &&
      oldest !== undefined &&
      Date.parse(last) > Date.parse(oldest)
    )
      more();
  }, [hasMore, failure, last, oldest, more]);
}
