/** The numbers of now, for the live page and the wall. */

import { useMemo } from 'react';

import { openChats, traffic, useBoards } from '../hub/hub.tsx';
import { usePart, useStore } from '../hub/store.ts';
import { figuresOf, groupsOf, waitsOf } from '../hub/waits.ts';

/**
 * Numbers as the hub pushes them; who waits, and what is not direct, out of the open chats. Once those are all here the
 * tiles say of waits what the list says, so that both move in the same moment.
 */
export function useLive() {
  const boards = useBoards();
  const { 'metrics:live': whole, 'metrics:sectors': sectors, 'metrics:agents': agents } = boards;
  const open = useStore(openChats);
  const waiting = open.complete ? open.waiting : null;
  const indirect = useMemo(
    () => (open.complete ? open.chats.reduce((count, { kind }) => count + Number(kind !== 'direct'), 0) : null),
    [open],
  );
  const waits = useMemo(() => waiting && waitsOf(waiting), [waiting]);
  const row = whole?.live[0];
  const figures = useMemo(
    () => (row === undefined ? null : { ...figuresOf(row), indirect, ...waits }),
    [row, indirect, waits],
  );
  // Looked up at each update: a chat may come, or go to another sector, while what the hub counts of its agent is the same.
  const stands = agents?.live.map(({ longestWaitChatId: chat }) => sectorOf(chat) ?? '').join('\n');
  // biome-ignore lint/correctness/useExhaustiveDependencies: `stands` is what `sectorOf` says
  const byAgent = useMemo(() => agents && groupsOf(agents.live, sectorOf), [agents, stands]);
  const usualMs = usePart(traffic, ({ day }) => day?.usualFirstMs ?? null);
  const answered = whole?.today.find(({ metric }) => metric === 'firstResponse');
  return {
    figures,
    waiting,
    firstResponse: whole === null ? null : { medianMs: answered?.medianMs ?? null, n: answered?.n ?? 0, usualMs },
    sectors: useMemo(() => sectors && groupsOf(sectors.live, (_, { id = null }) => id), [sectors]),
    agents: byAgent,
    rebuilding: whole?.rebuilding ?? null,
  };
}

function sectorOf(chat: string | null): string | null {
  return chat === null ? null : (openChats.find(chat)?.sector?.id ?? null);
}
