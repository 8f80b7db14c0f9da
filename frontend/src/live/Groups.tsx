import { Skeleton } from '@mantine/core';
import { useRef } from 'react';
import { Link } from 'react-router';

import { useAddress, useMoment } from '../app/moment.ts';
import { useNow } from '../hub/clock.ts';
import { type Group, urgencyOf } from '../hub/waits.ts';
import { Below } from '../parts/Below.tsx';
import { agentName, clock, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { useLimits } from './limits.ts';
import { useSectorName } from './sectors.ts';

interface GroupsProps {
  title: string;
  groups: Group[] | null;
  by: 'sector' | 'owner';
}

/** Open chats by whom they stand with, and how long the oldest of each waits. */
export function Groups({ title, groups, by }: GroupsProps) {
  const say = useWords();
  const most = Math.max(1, ...(groups ?? []).map(({ open }) => open));
  const id = `groups-${by}`;
  const box = useRef<HTMLDivElement>(null);
  return (
    <section className="card panel groups" data-by={by}>
      <header>
        <h2 id={id}>
          {title} <span className="quiet">{groups !== null && number(groups.length)}</span>
        </h2>
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
                <Row key={group.key} group={group} by={by} most={most} />
              ))}
            </tbody>
          </table>
        </div>
      )}
      {groups !== null && <Below box={box} count={groups.length} />}
    </section>
  );
}

function Row({
  group: { key, who, open, waiting, oldestMs, oldestSector },
  by,
  most,
}: {
  group: Group;
  by: 'sector' | 'owner';
  most: number;
}) {
  const say = useWords();
  const now = useNow();
  const address = useAddress();
  const isPast = useMoment().at !== null;
  const limits = useLimits().of(oldestSector);
  const sectorName = useSectorName();
  const name = by === 'owner' ? agentName(say, who) : sectorName(who);
  const wait = oldestMs === null ? null : now - oldestMs;
  // Of the past the list of chats does not know which had nobody.
  const isDoor = who !== null || (by === 'owner' && !isPast);
  const to = `/chats?kind=direct&${by}=${who === null ? 'none' : encodeURIComponent(key)}`;
  return (
    <tr>
      <th scope="row" title={[name, who?.id].filter(Boolean).join(' · ')}>
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
