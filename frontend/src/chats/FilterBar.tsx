import { Button, NativeSelect, TextInput } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { useLocation } from 'react-router';
import type { Chat } from 'umbler-hub-client';

import { setParam, useChangeParams } from '../app/params.ts';
import { givenNames, openChats, useHub } from '../hub/hub.tsx';
import { newestNames } from '../hub/names.ts';
import { useStore } from '../hub/store.ts';
import { labelsFor, useLabels } from '../live/labels.ts';
import { tellApart } from '../words/apart.ts';
import { agentName } from '../words/format.ts';
import { useWords, type Say } from '../words/words.ts';
import { filtersOf, isLocal, NAMES, NOBODY, WAITS, type Filters } from './filters.ts';
import { Quick } from './Quick.tsx';

/** How long typing rests before the hub is asked. */
const TYPING_MS = 250;
const STATUSES = ['open', 'waiting', 'closed', 'all'] as const;
const KINDS = ['direct', 'group', 'internal'] as const;

export function FilterBar({
  filters,
  chats,
  inMessages,
  isPast = false,
}: {
  filters: Filters;
  chats: Chat[] | null;
  inMessages: boolean;
  isPast?: boolean;
}) {
  const say = useWords();
  const changeParams = useChangeParams();
  const change = (name: string, value: string) =>
    changeParams((params) => {
      setParam(params, name, value);
      params.delete('message');
      // What the hub's list cannot be narrowed to goes with the list that could.
      const kept = filtersOf(params);
      for (const mine of NAMES) if (kept[mine] === '') params.delete(mine);
    });
  return (
    <div className="filters" role="search" aria-label={say('filters')}>
      <Search isPast={isPast} value={filters.search} change={(value) => change('search', value)} />
      {filters.search !== '' && !isPast && (
        <div className="statuses where" role="group" aria-label={say('searchIn')}>
          <button type="button" aria-pressed={!inMessages} onClick={() => change('in', '')}>
            {say('inChats')}
          </button>
          <button type="button" aria-pressed={inMessages} onClick={() => change('in', 'messages')}>
            {say('inMessages')}
          </button>
        </div>
      )}
      {!inMessages && <Narrow filters={filters} chats={chats} change={change} isPast={isPast} />}
    </div>
  );
}

/** Where a search goes through messages these do not apply. */
function Narrow({ filters, chats, change, isPast }: SelectsProps) {
  const say = useWords();
  const changeParams = useChangeParams();
  const [more, setMore] = useState(false);
  const narrowed = NAMES.filter((name) => filters[name] !== '').length;
  return (
    <>
      <div className="statuses" role="group" aria-label={say('status')}>
        {STATUSES.map((status) => (
          <button
            key={status}
            type="button"
            aria-pressed={filters.status === status}
            onClick={() => change('status', status === 'open' ? '' : status)}
          >
            {say(`s_${status}`)}
          </button>
        ))}
      </div>
      <div className="tools">
        <Button
          size="compact-sm"
          variant="subtle"
          aria-expanded={more}
          aria-controls="more-filters"
          onClick={() => setMore(!more)}
        >
          {say('moreFilters')}
          {narrowed > 0 && ` (${narrowed})`}
        </Button>
        {(narrowed > 0 || filters.search !== '') && (
          <Button
            size="compact-sm"
            variant="subtle"
            color="gray"
            onClick={() =>
              changeParams((params) => {
                const at = params.get('at') ?? '';
                for (const name of [...params.keys()]) params.delete(name);
                setParam(params, 'at', at);
              })
            }
          >
            {say('clear')}
          </Button>
        )}
      </div>
      {!isPast && isLocal(filters) && <Quick wait={filters.wait} change={change} />}
      {!isPast && filters.owner === NOBODY && (
        <p className="narrowed">
          <Chosen name={say('nobody')} drop={() => change('owner', '')} />
        </p>
      )}
      <div id="more-filters" hidden={!more}>
        {more && <Selects filters={filters} chats={chats} change={change} isPast={isPast} />}
      </div>
    </>
  );
}

/** What an address narrowed to, and the way out of it. */
function Chosen({ name, drop }: { name: string; drop: () => void }) {
  const say = useWords();
  return (
    <button type="button" className="chip" onClick={drop} aria-label={`${say('remove')}: ${name}`}>
      {name} ×
    </button>
  );
}

interface SelectsProps {
  filters: Filters;
  chats: Chat[] | null;
  change: (name: string, value: string) => void;
  isPast: boolean;
}

/** Made only while they are open: what can be chosen changes with every chat. */
function Selects({ filters, chats, change, isPast }: SelectsProps) {
  const say = useWords();
  const options = useOptions(chats, isPast, filters, say);
  return (
    <div className="more">
      {NAMES.map((name) => (
        <NativeSelect
          key={name}
          size="xs"
          label={say(name)}
          value={filters[name]}
          onChange={(event) => change(name, event.currentTarget.value)}
          data={[{ value: '', label: say(`any_${name}`) }, ...withChosen(options[name], filters[name])]}
        />
      ))}
    </div>
  );
}

function Search({ value, change, isPast }: { isPast: boolean; value: string; change: (value: string) => void }) {
  const say = useWords();
  const { client } = useHub();
  const [typed, setTyped] = useState(value);
  const input = useRef<HTMLInputElement>(null);
  const latest = useRef(change);
  useEffect(() => {
    latest.current = change;
  });
  useEffect(() => setTyped(value), [value]);
  useEffect(() => {
    if (typed.trim() === value) return;
    const timer = setTimeout(() => latest.current(typed.trim()), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, value]);
  // Whoever pressed the key of the search on another page wants to type here.
  const wanted = (useLocation().state as { search?: boolean } | null)?.search === true;
  useEffect(() => {
    if (wanted) input.current?.focus();
  }, [wanted]);
  // Names are masked for viewers, and the hub finds nothing for them.
  const isViewer = client.user?.role === 'viewer';
  const label = isViewer ? say('searchViewer') : say(isPast ? 'inChats' : 'search');
  return (
    <TextInput
      ref={input}
      type="search"
      size="sm"
      aria-label={label}
      placeholder={label}
      aria-keyshortcuts="/"
      value={typed}
      disabled={isViewer}
      maxLength={100}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}

/** What can be chosen: what the open and the listed chats have; of the past the listed ones alone. */
function useOptions(chats: Chat[] | null, isPast: boolean, filters: Filters, say: Say) {
  const { chats: open } = useStore(openChats);
  const all = [...(isPast ? [] : open), ...(chats ?? [])];
  const given = useStore(givenNames);
  const { sector, channel } = useLabels();
  const named = (labels: ReadonlyMap<string, string> = new Map()) =>
    [...labels].map(([value, label]) => ({ value, label })).sort((a, b) => a.label.localeCompare(b.label));
  const owners = newestNames(all, ({ owner }) => [owner]);
  // Only of the open chats, which are here, can the page say that nobody has them or who waits.
  const here = !isPast && isLocal(filters);
  return {
    sector: named(sector),
    owner: [
      ...(here ? [{ value: NOBODY, label: say('nobody') }] : []),
      ...named(tellApart([...owners.values()].map((agent) => ({ id: agent.id, label: agentName(say, agent) })))),
    ],
    channel: named(channel),
    tag: named(labelsFor('tag', all, [], given)),
    kind: KINDS.map((kind) => ({ value: kind as string, label: say(`k_${kind}`) })),
    wait: here ? WAITS.map((wait) => ({ value: wait as string, label: say(`wait_${wait}`) })) : [],
  };
}

/** A filter of an address stays to be seen, also where no chat has it now. */
function withChosen(options: { value: string; label: string }[], chosen: string) {
  return chosen === '' || options.some(({ value }) => value === chosen)
    ? options
    : [...options, { value: chosen, label: chosen }];
}
