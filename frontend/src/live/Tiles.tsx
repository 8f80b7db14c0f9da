import { useId, useMemo, type ReactNode } from 'react';
import { Link } from 'react-router';

import { useMoment } from '../app/moment.ts';
import { useNow } from '../hub/clock.ts';
import type { Day } from '../hub/day-traffic.ts';
import { type Figures, type Live, lateOf, urgencyOf } from '../hub/waits.ts';
import { Figure } from '../parts/Figure.tsx';
import { clock, duration, number, percent } from '../words/format.ts';
import { useWords, type Say } from '../words/words.ts';
import { soFarOf } from './dayScale.ts';
import { useLimits } from './limits.ts';

export interface TilesProps {
  live: (Pick<Live, 'waiting'> & { figures: Figures | null; firstResponse?: FirstResponse | null }) | null;
  /** The messages of the day by the hour; null: not known. Left out: no such tile. */
  day?: Day | null;
  /** What a number was before, by its name. */
  trends?: Partial<Record<TrendOf, ReactNode>>;
  /** On a wall there is nothing to click. */
  isWall?: boolean;
}

export type TrendOf = 'open' | 'unanswered' | 'unassigned';

/** First responses since midnight. */
export interface FirstResponse {
  medianMs: number | null;
  n: number;
  /** That of the usual day; null where there is none. */
  usualMs: number | null;
}

/** The numbers of a moment, each a way to what it counts. Null: they are not known yet, and a part is no number. */
export function Tiles({ live, day, trends = {}, isWall = false }: TilesProps) {
  const say = useWords();
  const now = useNow();
  // Of the past the list of chats does not know who waited.
  const isPast = useMoment().at !== null;
  const door = (address: string) => (isPast || isWall ? undefined : address);
  const { of, differ, isDefault } = useLimits();
  const figures = live?.figures ?? null;
  const waiting = live?.waiting ?? null;
  const since = (at: number) => Math.max(0, now - at);
  const late = useMemo(() => (waiting === null ? undefined : lateOf(waiting, now, of)), [waiting, now, of]);
  const first = waiting?.[0];
  const { lateMs } = of(null);
  const { longestSince = null, averageSince = null } = figures ?? {};
  const today = live?.firstResponse;
  return (
    <section aria-label={say('numbers')}>
      <dl className="tiles">
        <Tile
          name="open"
          title={say('open')}
          value={number(figures?.open)}
          trend={trends.open}
          to={door('/chats?kind=direct')}
        >
          {figures && figures.indirect !== null && figures.indirect > 0
            ? say('openAlso', { count: number(figures.indirect) })
            : null}
        </Tile>
        <Tile
          name="unanswered"
          title={say('unanswered')}
          value={number(figures?.unanswered)}
          trend={trends.unanswered}
          to={door('/chats?wait=reply')}
        >
          {figures && say('inQueue', { count: number(figures.inWaitingList) })}
        </Tile>
        <Tile
          name="longest"
          title={say('longest')}
          value={longestSince === null ? '–' : clock(since(longestSince))}
          urgency={first && urgencyOf(now - first.sinceMs, of(first.sector?.id))}
          to={first && door(`/chats/${encodeURIComponent(first.id)}`)}
        >
          {figures &&
            (averageSince === null ? say('nobodyWaits') : say('average', { age: clock(since(averageSince)) }))}
        </Tile>
        <Tile
          name="late"
          title={say('lateAny')}
          value={number(late)}
          urgency={late !== undefined && late > 0 ? 'late' : undefined}
          to={door('/chats?wait=late')}
        >
          {late !== undefined && lateHint(say, late, waiting?.length ?? 0, differ ? null : lateMs, isDefault)}
        </Tile>
        <Tile
          name="unassigned"
          title={say('unassigned')}
          value={number(figures?.unassigned)}
          trend={trends.unassigned}
          to={door('/chats?kind=direct&owner=none')}
        >
          {figures && figures.unassigned > 0
            ? say('unassignedShare', { percent: percent(figures.unassigned, figures.open) })
            : null}
        </Tile>
        {today !== undefined && (
          <Tile
            name="first"
            title={say('firstToday')}
            value={<Figure text={today?.medianMs == null ? '–' : clock(today.medianMs)} isTicking={false} />}
            to={door('/reports')}
          >
            {today !== null && firstHint(say, today)}
          </Tile>
        )}
        {day !== undefined && <MessagesTile day={day} to={door('/reports')} />}
      </dl>
    </section>
  );
}

function MessagesTile({ day, to }: { day: Day | null; to: string | undefined }) {
  const say = useWords();
  const now = useNow();
  const messages = day && soFarOf(day.hours, now);
  return (
    <Tile name="today" title={say('today')} value={number(messages?.count)} to={to}>
      {messages?.usual == null ? say('todayHint') : say('todayUsual', { usual: number(Math.round(messages.usual)) })}
    </Tile>
  );
}

function firstHint(say: Say, { n, usualMs }: FirstResponse): string {
  if (n === 0) return say('firstTodayNone');
  return usualMs === null
    ? say('firstTodayHint', { count: number(n) })
    : say('firstTodayUsual', { usual: clock(usualMs) });
}

/** Which part of those who wait it is, and the threshold where all sectors have the same one. */
function lateHint(say: Say, late: number, waiting: number, limitMs: number | null, isDefault: boolean): string {
  const share = late > 0 ? [say('lateShare', { percent: percent(late, waiting), waiting: number(waiting) })] : [];
  const limit = limitMs === null ? [] : [say(isDefault ? 'lateDefault' : 'late', { age: duration(limitMs) })];
  return [...share, ...limit].join(' · ');
}

interface TileProps {
  name: string;
  title: string;
  value: ReactNode;
  urgency?: string | undefined;
  trend?: ReactNode;
  /** Where the chats behind the number are. */
  to?: string | undefined;
  children: ReactNode;
}

export function Tile({ name, title, value, urgency, trend, to, children }: TileProps) {
  const id = useId();
  const figure = typeof value === 'string' ? <Figure text={value} /> : value;
  return (
    <div className="tile" data-name={name} data-urgency={urgency} data-trend={trend !== undefined || undefined}>
      <dt id={id} title={title}>
        {title}
      </dt>
      <dd className="value">
        {to === undefined ? (
          figure
        ) : (
          <Link
            to={to}
            id={`${id}-value`}
            aria-label={typeof value === 'string' ? `${title}: ${value}` : undefined}
            aria-labelledby={typeof value === 'string' ? undefined : `${id} ${id}-value`}
          >
            {figure}
          </Link>
        )}
      </dd>
      {trend}
      <dd className="hint" title={typeof children === 'string' ? children : undefined}>
        {children}
      </dd>
    </div>
  );
}
