/**
 * What sectors, lines and tags are called where several have one name: sectors by their line, else all of them by the end of
 * their id. Every page asks here, so one thing is called the same on all of them.
 */

import { createContext, useContext, useMemo, useState } from 'react';
import type { Chat, GivenName, Named } from 'umbler-hub-client';

import { calledOf, type GivenNames } from '../hub/given-names.ts';
import { givenNames, openChats } from '../hub/hub.tsx';
import { newestNames } from '../hub/names.ts';
import { useStore } from '../hub/store.ts';
import type { Group } from '../hub/waits.ts';
import { labelsOf } from '../words/apart.ts';
import { useWords } from '../words/words.ts';

type What = GivenName['what'];
type Labels = ReadonlyMap<string, string>;
/** By id; left out where a page does not show any. */
export type LabelTable = Readonly<Partial<Record<What, Labels>>>;

const PICK: Record<What, (chat: Chat) => (Named | null)[]> = {
  sector: ({ sector }) => [sector],
  channel: ({ channel }) => [channel],
  tag: ({ tags }) => tags,
};
const SECTORS = ['sector'] as const;
const OF_CHATS = ['sector', 'channel'] as const;
const NONE: Named[] = [];

const LabelContext = createContext<LabelTable>({});
export const LabelProvider = LabelContext.Provider;

/**
 * The labels of what these chats have, and of what is told besides: that goes by the order of deliveries, which chats do not
 * tell.
 */
export function labelsFor(what: What, chats: Chat[], told: Named[], given: GivenNames): Map<string, string> {
  const names = newestNames(chats, PICK[what]);
  for (const one of told) if (one.name !== null || !names.has(one.id)) names.set(one.id, one);
  const called = [...names.values()].map((one) => ({ ...one, name: calledOf(given, what, one) }));
  return labelsOf(called, what === 'sector' ? (id) => lineOf(chats, id, given) : undefined);
}

/** Of the sectors of these chats, and of the groups that the hub tells besides. */
export function useSectorLabels(chats: Chat[], groups: Group[] | null): LabelTable {
  const told = useMemo(() => (groups ?? []).flatMap(({ who }) => (who === null ? [] : [who])), [groups]);
  return useTable(SECTORS, chats, told);
}

/** Of the sectors and lines of these chats. */
export function useChatLabels(chats: Chat[]): LabelTable {
  return useTable(OF_CHATS, chats, NONE);
}

function useTable(whats: readonly What[], chats: Chat[], told: Named[]): LabelTable {
  const given = useStore(givenNames);
  return useSame(
    useMemo(
      () => Object.fromEntries(whats.map((what) => [what, labelsFor(what, chats, told, given)])),
      [whats, chats, told, given],
    ),
  );
}

/** Chats change twenty times a second and their names hardly ever: rows are not drawn anew for the same ones. */
export function useSame<Table extends Partial<Record<string, Labels>>>(table: Table): Table {
  const [kept, keep] = useState(table);
  if (kept !== table && !areSame(kept, table)) keep(table);
  return kept;
}

function areSame(a: Partial<Record<string, Labels>>, b: Partial<Record<string, Labels>>): boolean {
  return Object.entries(b).every(([what, labels = new Map()]) => {
    const before = a[what];
    return before?.size === labels.size && [...labels].every(([id, label]) => before.get(id) === label);
  });
}

/** All that this page has labels for. */
export function useLabels(): LabelTable {
  return useContext(LabelContext);
}

/** How a sector is called on this page. */
export function useSectorName(): (sector: Named | null) => string {
  const say = useWords();
  const { sector: labels } = useLabels();
  const given = useStore(givenNames);
  return (sector) =>
    sector === null ? say('noSector') : (labels?.get(sector.id) ?? calledOf(given, 'sector', sector) ?? sector.id);
}

/** How a line is called on this page; null where it has no name. */
export function useChannelName(): (channel: Named) => string | null {
  const { channel: labels } = useLabels();
  const given = useStore(givenNames);
  return (channel) => {
    const name = calledOf(given, 'channel', channel);
    return name === null ? null : (labels?.get(channel.id) ?? name);
  };
}

/** How a sector is called among those of open chats: for what is told outside of a page. */
export function sectorNow(sector: Named): string | undefined {
  return labelsFor('sector', openChats.get().chats, [sector], givenNames.get()).get(sector.id);
}

/** The one line that all chats of a sector came by; null where there are several, or none is known. */
function lineOf(chats: Chat[], id: string, given: GivenNames): string | null {
  const lines = new Set(
    chats
      .filter(({ sector }) => sector?.id === id)
      .map(({ channel }) => channel && calledOf(given, 'channel', channel)),
  );
  const [line = null] = lines;
  return lines.size === 1 ? line : null;
}
