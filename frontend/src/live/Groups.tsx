import { Skeleton } from '@mantine/core';
import { Link } from 'react-router';

import { useAddress } from '../app/moment.ts';
import { useNow } from '../hub/clock.ts';
import { agentName, clock, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { type Group, urgencyOf } from '../hub/waits.ts';
import { useLimits } from './limits.ts';

interface GroupsProps {
  title: string;
  groups: Group[] | null;
  by: 'sector' | 'owner';
}

/** Open chats by whom they stand with, and how long the oldest of each waits. */
export function Groups({ title, groups, by }: GroupsProps) {
  const say = useWords();
  const most = Math.max(1, ...(groups ?? []).map(({ open }) => open));
  return (
    <section className="card groups">
      <h2>{title}</h2>
      {groups === null && <Skeleton height={120} />}
      {groups?.length === 0 && <p className="blank">{say('noneOpen')}</p>}
      {groups !== null && groups.length > 0 && (
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
      )}
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
  const limits = useLimits().of(oldestSector);
  const name = by === 'owner' ? agentName(say, who) : (who?.name ?? who?.id ?? say('noSector'));
  const wait = oldestMs === null ? null : now - oldestMs;
  return (
    <tr>
      <th scope="row" title={who?.id}>
        {who === null ? name : <Link to={address(`/chats?kind=direct&${by}=${encodeURIComponent(key)}`)}>{name}</Link>}
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
