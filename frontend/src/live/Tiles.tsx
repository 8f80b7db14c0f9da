import type { ReactNode } from 'react';

import { useNow } from '../hub/clock.ts';
import { useData } from '../hub/hub.tsx';
import { age, clock, number, percent } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { Trend } from './Trend.tsx';
import { useTrends } from './trends.ts';
import { urgencyOf, useLimits, type Live } from './waits.ts';

/** The numbers now. Null: not all open chats are known yet, and a part is no number. */
export function Tiles({ live }: { live: Live | null }) {
  const say = useWords();
  const { stats } = useData();
  const now = useNow();
  const { of, differ } = useLimits();
  const samples = useTrends();
  const waits = live?.waiting.map(({ sinceMs }) => Math.max(0, now - sinceMs)) ?? [];
  const longest = waits[0];
  const urgencies = live?.waiting.map(({ chat, sinceMs }) => urgencyOf(now - sinceMs, of(chat.sector?.id))) ?? [];
  const late = urgencies.filter((urgency) => urgency === 'late').length;
  const { lateMs } = of(null);
  const mean = waits.reduce((sum, wait) => sum + wait, 0) / Math.max(1, waits.length);
  const nobody = live !== null && waits.length === 0;
  return (
    <section aria-label={say('numbers')}>
      <dl className="tiles">
        <Tile name="open" title={say('open')} value={number(live?.open)} trend={<Trend samples={samples} of="open" now={live?.open} />}>
          {live && say('openAlso', { count: number(live.indirect) })}
        </Tile>
        <Tile name="unanswered" title={say('unanswered')} value={live ? number(waits.length) : '–'} trend={<Trend samples={samples} of="unanswered" now={live?.waiting.length} />}>
          {live && say('inQueue', { count: number(live.inWaitingList) })}
        </Tile>
        <Tile name="longest" title={say('longest')} value={longest === undefined ? '–' : clock(longest)} urgency={urgencies[0]}>
          {nobody ? say('nobodyWaits') : live && say('average', { age: clock(mean) })}
        </Tile>
        <Tile name="late" title={differ || lateMs === null ? say('lateAny') : say('late', { age: age(lateMs) })} value={live ? number(late) : '–'} urgency={late > 0 ? 'late' : undefined}>
          {live && say('lateShare', { percent: percent(late, waits.length) })}
        </Tile>
        <Tile name="unassigned" title={say('unassigned')} value={number(live?.unassigned)} trend={<Trend samples={samples} of="unassigned" now={live?.unassigned} />}>
          {live && say('unassignedShare', { percent: percent(live.unassigned, live.open) })}
        </Tile>
        <Tile name="today" title={say('today')} value={number(stats?.messagesToday)}>{say('todayHint')}</Tile>
      </dl>
    </section>
  );
}

interface TileProps {
  name: string;
  title: string;
  value: string;
  urgency?: string | undefined;
  trend?: ReactNode;
  children: ReactNode;
}

export function Tile({ name, title, value, urgency, trend, children }: TileProps) {
  return (
    <div className="tile" data-name={name} data-urgency={urgency}>
      <dt>{title}</dt>
      <dd className="value">{value}</dd>
      {trend}
      <dd className="hint">{children}</dd>
    </div>
  );
}
