import { useState } from 'react';
import type { Alert } from 'umbler-hub-client';

import { useNow } from '../hub/clock.ts';
import { HeldChip } from '../parts/HeldChip.tsx';
import { Icon } from '../parts/icons.tsx';
import { holding, useHeld } from '../parts/useHeld.ts';
import { agentName, agentTitle, clock, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { AlertRow } from './AlertRow.tsx';
import { type AlertGroup, isNewAlert, URGENT } from './alertGroups.ts';
import { useSectorName } from './labels.ts';

/** Beyond this many nobody reads them one by one. */
const SHOWN_MAX = 60;

const idOf = ({ id }: Alert) => id;
const keyOf = ({ key }: AlertGroup) => key;

/** Alerts in groups; one by one where there are none. */
export function AlertList({ alerts, groups }: { alerts: Alert[]; groups: AlertGroup[] | null }) {
  const [opened, setOpened] = useState<ReadonlySet<string>>(new Set());
  const held = useHeld(groups, keyOf);
  if (held.shown === null) return <Rows alerts={alerts} />;
  const toggle = (key: string) =>
    setOpened((before) => {
      const after = new Set(before);
      if (!after.delete(key)) after.add(key);
      return after;
    });
  return (
    <>
      <HeldChip {...held} />
      <ul className="alert-groups" {...holding(held)}>
        {held.shown.map((group) => (
          <Group
            key={group.key}
            group={group}
            isGone={held.isGone(group)}
            isOpen={opened.has(group.key)}
            toggle={() => toggle(group.key)}
          />
        ))}
      </ul>
    </>
  );
}

/** All of them; of a group that is folded the `first` one that is still there. */
function Rows({ alerts, first = false }: { alerts: Alert[]; first?: boolean }) {
  const say = useWords();
  const held = useHeld(alerts, idOf);
  const all = held.shown ?? alerts;
  const shown = first ? all.slice(0, Math.max(1, all.findIndex((alert) => !held.isGone(alert)) + 1)) : all;
  return (
    <>
      {!first && <HeldChip {...held} />}
      <ul className="alert-rows" {...holding(held)}>
        {shown.slice(0, SHOWN_MAX).map((alert) => (
          <AlertRow key={alert.id} alert={alert} isGone={held.isGone(alert)} />
        ))}
        {shown.length > SHOWN_MAX && (
          <li className="quiet">{say('andMore', { count: number(shown.length - SHOWN_MAX) })}</li>
        )}
      </ul>
    </>
  );
}

interface GroupProps {
  group: AlertGroup;
  /** Its place is kept. */
  isGone: boolean;
  isOpen: boolean;
  toggle: () => void;
}

/** How many of each urgency, and the first of them, for whom somebody may care at once; where somebody does, how long it waits. */
function Group({ group: { by, who, alerts }, isGone, isOpen, toggle }: GroupProps) {
  const say = useWords();
  const sectorName = useSectorName();
  const now = useNow();
  const name = by === 'taken' ? say('alertsTaken') : by === 'sector' ? sectorName(who) : agentName(say, who);
  const urgent = alerts.filter(({ kind }) => URGENT[kind]).length;
  const fresh = by === 'taken' ? 0 : alerts.filter(({ raisedAt }) => isNewAlert(raisedAt, now)).length;
  const closing = alerts.filter(({ kind }) => kind === 'window_closing').length;
  const counts = [
    urgent > closing && say('alertsLate', { count: number(urgent - closing) }),
    closing > 0 && say('alertsClosing', { count: number(closing) }),
    alerts.length > urgent && say('alertsNear', { count: number(alerts.length - urgent) }),
  ];
  const about = counts.filter(Boolean).join(' · ');
  const since = Math.min(...alerts.map((alert) => Date.parse(alert.since)));
  return (
    <li
      data-urgency={urgent > 0 ? 'late' : 'attention'}
      data-taken={by === 'taken' || undefined}
      data-gone={isGone || undefined}
    >
      <button
        type="button"
        className="alert-group"
        aria-expanded={isOpen}
        onClick={toggle}
        title={[`${name} · ${about}`, agentTitle(say, by === 'owner' ? who : null)].filter(Boolean).join('\n')}
      >
        <span className="turn" data-open={isOpen || undefined}>
          <Icon name="next" />
        </span>
        <span className="main">
          <span className="name">
            {name}
            {fresh > 0 && <em className="chip fresh">{say('alertsNew', { count: number(fresh) })}</em>}
          </span>
          <span className="quiet">{about}</span>
        </span>
        {by === 'taken' && (
          <span className="wait">
            <time>{clock(now - since)}</time>
            <span>{say('longestShort')}</span>
          </span>
        )}
      </button>
      {(isOpen || by !== 'taken') && <Rows alerts={alerts} first={!isOpen} />}
    </li>
  );
}
