/** Who is online in Umbler Talk, and of these who has no open chat. */

import { useMemo } from 'react';
import type { Named } from 'umbler-hub-client';

import { useNow } from '../hub/clock.ts';
import { umblerLink } from '../hub/hub.tsx';
import type { Link } from '../hub/link.ts';
import { useStore } from '../hub/store.ts';
import type { Group } from '../hub/waits.ts';

/** The hub reads it every minute, and the page asks the hub four times a minute. What is older says nothing of now. */
const FRESH_MS = 180_000;

export interface Online {
  readAt: string;
  agents: ReadonlyMap<string, Named>;
}

/** Null: it is not known. Then nobody is said to be online, or free. */
export function onlineOf(link: Pick<Link, 'online'> | null, now: number): Online | null {
  const online = link?.online ?? null;
  if (online === null || now - Date.parse(online.readAt) > FRESH_MS) return null;
  return { readAt: online.readAt, agents: new Map(online.agents.map((agent) => [agent.id, agent])) };
}

/** The agents with open chats, and those who are online and have none: right behind the chats that nobody has. */
export function withFree(groups: Group[], online: Online | null): Group[] {
  if (online === null) return groups;
  const busy = new Set(groups.map(({ key }) => key));
  const free = [...online.agents.values()]
    .filter(({ id }) => !busy.has(id))
    .sort((a, b) => (a.name ?? a.id).localeCompare(b.name ?? b.id) || a.id.localeCompare(b.id))
    .map((who): Group => ({ key: who.id, who, open: 0, waiting: 0, oldestMs: null, oldestSector: null }));
  const nobody = groups.filter(({ who }) => who === null);
  return [...nobody, ...free, ...groups.filter(({ who }) => who !== null)];
}

export function useOnline(): Online | null {
  const link = useStore(umblerLink);
  // It grows old while nothing comes: looked at again every second, and another one only when it is.
  const isKnown = onlineOf(link, useNow()) !== null;
  return useMemo(() => (isKnown ? onlineOf(link, 0) : null), [link, isKnown]);
}
