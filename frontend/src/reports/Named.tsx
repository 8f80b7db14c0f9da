import { createContext, useContext, useMemo, type ReactNode } from 'react';
import type { Chat } from 'umbler-hub-client';

import type { GivenNames } from '../hub/given-names.ts';
import { givenNames, openChats } from '../hub/hub.tsx';
import { newestNames } from '../hub/names.ts';
import { useStore } from '../hub/store.ts';
import { labelsFor, useSame } from '../live/labels.ts';
import { tellApart } from '../words/apart.ts';
import { agentName } from '../words/format.ts';
import { useWords, type Say } from '../words/words.ts';
import type { FILTERS } from './metrics.ts';
import { names, type Names } from './names.ts';

type Filter = (typeof FILTERS)[number];
export type ReportLabels = Readonly<Record<Filter, ReadonlyMap<string, string>>>;

const NONE: ReportLabels = { sector: new Map(), agent: new Map(), channel: new Map(), tag: new Map() };
const LabelContext = createContext(NONE);

/** What sectors, agents, lines and tags are called on this page: in its lists, its tables and the titles of its numbers alike. */
export function ReportLabelProvider({ children }: { children: ReactNode }) {
  const say = useWords();
  const { chats } = useStore(openChats);
  const told = useStore(names);
  const given = useStore(givenNames);
  const labels = useSame(useMemo(() => labelsOf(say, chats, told, given), [say, chats, told, given]));
  return <LabelContext value={labels}>{children}</LabelContext>;
}

export function useReportLabels(): ReportLabels {
  return useContext(LabelContext);
}

/** What open chats have, what tables named so far, and what is listed without either. */
function labelsOf(say: Say, chats: Chat[], told: Names, given: GivenNames): ReportLabels {
  const named = (filter: Filter) => [...(told.get(filter) ?? [])].map(([id, name]) => ({ id, name }));
  const of = (what: Exclude<Filter, 'agent'>) => {
    const listed = [...given.values()].filter((one) => one.what === what).map(({ id }) => ({ id, name: null }));
    return labelsFor(what, chats, [...named(what), ...listed], given);
  };
  const agents = newestNames(chats, ({ owner }) => [owner]);
  for (const one of named('agent')) if (one.name !== null || !agents.has(one.id)) agents.set(one.id, one);
  return {
    sector: of('sector'),
    agent: tellApart([...agents.values()].map((one) => ({ id: one.id, label: agentName(say, one) }))),
    channel: of('channel'),
    tag: of('tag'),
  };
}
