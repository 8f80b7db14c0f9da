import { useMemo } from 'react';

import { useMoment } from '../app/moment.ts';
import { useWall, useWallKeeping } from '../app/wall.ts';
import { openChats, useData } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { Failure } from '../parts/Notice.tsx';
import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { AlertPanel } from './AlertPanel.tsx';
import { Groups } from './Groups.tsx';
import { PastPage } from './PastPage.tsx';
import { Queue } from './Queue.tsx';
import { Tiles } from './Tiles.tsx';
import { LiveTraffic } from './TrafficChart.tsx';
import { Trend } from './Trend.tsx';
import { useTrends } from './trends.ts';
import { liveOf } from './waits.ts';

/** What a team lead watches: how many, who waits, who carries what, and how much comes in; now, or as it was. */
export function LivePage() {
  const { iso } = useMoment();
  return iso === undefined ? <Now /> : <PastPage at={iso} />;
}

function Now() {
  const say = useWords();
  const { isWall, leave } = useWall();
  useWallKeeping(isWall, leave);
  const { stats } = useData();
  const { chats, complete, total, failure } = useStore(openChats);
  const live = useMemo(() => (complete ? liveOf(chats) : null), [chats, complete]);
  const samples = useTrends();
  const trends = {
    open: <Trend samples={samples} of="open" now={live?.figures.open} />,
    unanswered: <Trend samples={samples} of="unanswered" now={live?.figures.unanswered} />,
    unassigned: <Trend samples={samples} of="unassigned" now={live?.figures.unassigned} />,
  };
  return (
    <div className="page live">
      <h1 className="hidden">{say('live')}</h1>
      {failure !== null && <Failure reason={failure} />}
      {!complete && total !== null && (
        <p className="notice quiet" role="status">{say('reading', { count: number(chats.length), total: number(total) })} {say('partial')}</p>
      )}
      <Tiles live={live} messagesToday={stats?.messagesToday} trends={trends} />
      <div className="columns">
        <Queue waiting={live?.waiting ?? null} />
        <div className="side">
          <AlertPanel />
          <Groups title={say('bySector')} groups={live?.sectors ?? null} by="sector" />
          <LiveTraffic />
          <Groups title={say('byAgent')} groups={live?.agents ?? null} by="owner" />
        </div>
      </div>
    </div>
  );
}
