import { useMemo, type ReactNode } from 'react';

import { useNow } from '../hub/clock.ts';
import { clock, duration, number, percent } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { type Figures, type Live, lateOf, urgencyOf } from '../hub/waits.ts';
import { useLimits } from './limits.ts';

interface TilesProps {
  live: (Pick<Live, 'waiting'> & { figures: Figures | null }) | null;
  messagesToday: ReactNode;
  /** What a number was before, by its name. */
  trends?: Partial<Record<TrendOf, ReactNode>>;
}

export type TrendOf = 'open' | 'unanswered' | 'unassigned';

/** The numbers of a moment. Null: they are not known yet, and a part is no number. */
export function Tiles({ live, messagesToday, trends = {} }: TilesProps) {
  const say = useWords();
  const now = useNow();
  const { of, differ } = useLimits();
  const figures = live?.figures ?? null;
  const waiting = live?.waiting ?? null;
  const since = (at: number) => Math.max(0, now - at);
  const late = useMemo(() => (waiting === null ? undefined : lateOf(waiting, now, of)), [waiting, now, of]);
  const first = waiting?.[0];
  const { lateMs } = of(null);
  const { longestSince = null, averageSince = null } = figures ?? {};
  return (
    <section aria-label={say('numbers')}>
      <dl className="tiles">
        <Tile name="open" title={say('open')} value={number(figures?.open)} trend={trends.open}>
          {figures && figures.indirect !== null && say('openAlso', { count: number(figures.indirect) })}
        </Tile>
        <Tile name="unanswered" title={say('unanswered')} value={number(figures?.unanswered)} trend={trends.unanswered}>
          {figures && say('inQueue', { count: number(figures.inWaitingList) })}
        </Tile>
        <Tile
          name="longest"
          title={say('longest')}
          value={longestSince === null ? '–' : clock(since(longestSince))}
          urgency={first && urgencyOf(now - first.sinceMs, of(first.sector?.id))}
        >
          {figures &&
            (averageSince === null ? say('nobodyWaits') : say('average', { age: clock(since(averageSince)) }))}
        </Tile>
        <Tile
          name="late"
          title={differ || lateMs === null ? say('lateAny') : say('late', { age: duration(lateMs) })}
          value={number(late)}
          urgency={late !== undefined && late > 0 ? 'late' : undefined}
        >
          {late !== undefined && say('lateShare', { percent: percent(late, waiting?.length ?? 0) })}
        </Tile>
        <Tile name="unassigned" title={say('unassigned')} value={number(figures?.unassigned)} trend={trends.unassigned}>
          {figures && say('unassignedShare', { percent: percent(figures.unassigned, figures.open) })}
        </Tile>
        <Tile name="today" title={say('today')} value={messagesToday}>
          {say('todayHint')}
        </Tile>
      </dl>
    </section>
  );
}

/** Waits of days are written smaller, that they stay in their tile. */
const LONG = 7;
/** Beside longer numbers there is no room for a line. */
const WIDE = 5;

interface TileProps {
  name: string;
  title: string;
  value: ReactNode;
  urgency?: string | undefined;
  trend?: ReactNode;
  children: ReactNode;
}

export function Tile({ name, title, value, urgency, trend, children }: TileProps) {
  return (
    <div className="tile" data-name={name} data-urgency={urgency}>
      <dt>{title}</dt>
      <dd className="value" data-long={isLonger(value, LONG)} data-wide={isLonger(value, WIDE)}>
        {value}
      </dd>
      {trend}
      <dd className="hint">{children}</dd>
    </div>
  );
}

function isLonger(value: ReactNode, than: number): true | undefined {
  return (typeof value === 'string' && value.length > than) || undefined;
}
