/** What sectors are called where several have one name: by their line, else by the end of their id. */

import { createContext, useContext, useMemo, useState } from 'react';
import type { Chat, Named } from 'umbler-hub-client';

import { calledOf, type GivenNames } from '../hub/given-names.ts';
import { givenNames, openChats } from '../hub/hub.tsx';
import { newestNames } from '../hub/names.ts';
import { useStore } from '../hub/store.ts';
import type { Group } from '../hub/waits.ts';
import { labelsOf } from '../words/apart.ts';
import { useWords } from '../words/words.ts';

type Labels = ReadonlyMap<string, string>;

const LabelContext = createContext<Labels>(new Map());
export const SectorLabels = LabelContext.Provider;

/** The labels of the sectors of open chats, and of the groups that the hub tells besides. */
export function useSectorLabels(groups: Group[] | null): Labels {
  const { chats } = useStore(openChats);
  const given = useStore(givenNames);
  const labels = useMemo(() => labelsOfSectors(chats, groups ?? [], given), [chats, groups, given]);
  // Chats change twenty times a second and their sectors' names hardly ever: rows are not drawn anew for the same ones.
  const [kept, keep] = useState(labels);
  if (kept !== labels && !areSame(kept, labels)) keep(labels);
  return kept;
}

function areSame(a: Labels, b: Labels): boolean {
  return a.size === b.size && [...a].every(([id, label]) => b.get(id) === label);
}

export function labelsOfSectors(chats: Chat[], groups: Pick<Group, 'who'>[], given: GivenNames): Labels {
  const names = newestNames(chats, ({ sector }) => [sector]);
  // The hub goes by the order of deliveries, which chats do not tell.
  for (const { who } of groups) if (who !== null && (who.name !== null || !names.has(who.id))) names.set(who.id, who);
  const called = [...names.values()].map((one) => ({ ...one, name: calledOf(given, 'sector', one) }));
  return labelsOf(called, (id) => lineOf(chats, id));
}

/** How a sector is called on this page. */
export function useSectorName(): (sector: Named | null) => string {
  const say = useWords();
  const labels = useContext(LabelContext);
  const given = useStore(givenNames);
  return (sector) =>
    sector === null ? say('noSector') : (labels.get(sector.id) ?? calledOf(given, 'sector', sector) ?? sector.id);
}

/** The one line that all chats of a sector came by; null where there are several, or none is known. */
function lineOf(chats: Chat[], id: string): string | null {
  const lines = new Set(chats.filter(({ sector }) => sector?.id === id).map(({ channel }) => channel?.name ?? null));
  const [line = null] = lines;
  return lines.size === 1 ? line : null;
}
