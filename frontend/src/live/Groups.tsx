import { Skeleton } from '@mantine/core';
import { useMemo, useRef } from 'react';
import { Link } from 'react-router';
import type { Named } from 'umbler-hub-client';

import { useAddress, useMoment } from '../app/moment.ts';
import { useNow } from '../hub/clock.ts';
import { type Group, urgencyOf } from '../hub/waits.ts';
import { AboutThis } from '../parts/AboutThis.tsx';
import { Below } from '../parts/Below.tsx';
import { agentName, agentTitle, clock, moment, number } from '../words/format.ts';
import { tellApart } from '../words/apart.ts';
import { useWords } from '../words/words.ts';
import { useLimits } from './limits.ts';
import type { Online } from './online.ts';
import { useSectorName } from './labels.ts';

interface GroupsProps {
  title: string;
  groups: Group[] | null;
  by: 'sector' | 'owner';
  /** Who is online; null where that is not known, left out where it is not asked. */
  online?: Online | null;
}

/** Open chats by whom they stand with, and how long the oldest of each waits. */
export function Groups({ title, groups, by, online }: GroupsProps) {
  const say = useWords();
  const most = Math.max(1, ...(groups ?? []).map(({ open }) => open));
  const id = `groups-${by}`;
  const box = useRef<HTMLDivElement>(null);
  const sectorName = useSectorName();
  const called = useMemo(
    () =>
      by === 'owner'
        ? tellApart(namedOf(groups ?? []).map((who) => ({ id: who.id, label: agentName(say, who) })))
        : null,
    [by, groups, say],
  );
  const isOnline = (who: Named | null) => (who === null || !online ? null : online.agents.has(who.id));
  const nameless = by === 'owner' ? namedOf(groups ?? []).filter(({ name }) => name === null).length : 0;
  const nameOf = (who: Named | null) =>
    by === 'sector' ? sectorName(who) : ((who && called?.get(who.id)) ?? agentName(say, who));
  return (
    <section className="card panel groups" data-by={by}>
      <header>
        <h2 id={id}>
          {title} <span className="quiet">{groups !== null && number(namedOf(groups).length)}</span>
        </h2>
        {online !== undefined && <AboutThis of={title}>{say('agentsHint')}</AboutThis>}
        {online && groups !== null && <OnlineCount online={online} groups={groups} />}
        {nameless > 0 && (
          <Link className="nameless" to="/settings/agents?known=false" title={say('namelessHint')}>
            {say('nameless', { count: number(nameless) })}
          </Link>
        )}
      </header>
      {groups === null && <Skeleton height={120} />}
      {groups?.length === 0 && <p className="blank">{say('noneOpen')}</p>}
      {groups !== null && groups.length > 0 && (
        <div className="scroll" ref={box} tabIndex={0} role="group" aria-labelledby={id}>
          <table>
            <thead>
              <tr>
                <th scope="col">{say(by)}</th>
                <th scope="col">{say('openShort')}</th>
                <th scope="col">{say('waitShort')}</th>
                <th scope="col">{say('longestShort')}</th>
              </tr>
            </thead>
            <tbody>
              {groups.map((group) => (
                <Row
                  key={group.key}
                  group={group}
                  name={nameOf(group.who)}
                  by={by}
                  most={most}
                  isOnline={isOnline(group.who)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {groups !== null && <Below box={box} count={groups.length} />}
    </section>
  );
}

/** Of those who are online: how many have nothing open. */
function OnlineCount({ online, groups }: { online: Online; groups: Group[] }) {
  const say = useWords();
  const free = groups.filter(({ who, open }) => who !== null && open === 0).length;
  return (
    <span className="quiet tally" title={say('onlineHint', { at: moment(online.readAt) })}>
      {say('onlineCount', { count: number(online.agents.size), free: number(free) })}
    </span>
  );
}

/** Chats without an agent or a sector are a row, and no agent or sector. */
function namedOf(groups: Group[]): Named[] {
  return groups.flatMap(({ who }) => (who === null ? [] : [who]));
}

function Row({
  group: { key, who, open, waiting, oldestMs, oldestSector },
  name,
  by,
  most,
  isOnline,
}: {
  group: Group;
  name: string;
  by: 'sector' | 'owner';
  most: number;
  /** Null: not known. */
  isOnline: boolean | null;
}) {
  const say = useWords();
  const now = useNow();
  const address = useAddress();
  const isPast = useMoment().at !== null;
  const limits = useLimits().of(oldestSector);
  const wait = oldestMs === null ? null : now - oldestMs;
  // Of the past the list of chats does not know which had nobody.
  const isDoor = open > 0 && (who !== null || (by === 'owner' && !isPast));
  const to = `/chats?kind=direct&${by}=${who === null ? 'none' : encodeURIComponent(key)}`;
  return (
    <tr>
      <th
        scope="row"
        title={[
          (by === 'owner' ? agentTitle(say, who) : null) ?? [name, who?.id].filter(Boolean).join(' · '),
          isOnline !== null && say(isOnline ? 'onlineWord' : 'offlineWord'),
        ]
          .filter(Boolean)
          .join('\n')}
      >
        {isOnline !== null && (
          <span className="presence" data-online={isOnline || undefined}>
            <span className="hidden">{say(isOnline ? 'onlineWord' : 'offlineWord')}: </span>
          </span>
        )}
        {isDoor ? <Link to={address(to)}>{name}</Link> : name}
        <meter className="bar" min={0} max={most} value={open} aria-hidden="true" />
      </th>
      <td>{number(open)}</td>
      <td>{number(waiting)}</td>
      <td className="wait" data-urgency={wait === null ? undefined : urgencyOf(wait, limits)}>
        {wait === null ? '–' : clock(wait)}
      </td>
    </tr>
  );
}
