import { lazy, useMemo } from 'react';

import { useMoment } from '../app/moment.ts';
import { usePlayed } from '../app/played.ts';
import { useWall } from '../app/wall.ts';
import { openChats, traffic } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import type { Group } from '../hub/waits.ts';
import { Failure } from '../parts/Notice.tsx';
import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { AlertPanel } from './AlertPanel.tsx';
import { Groups } from './Groups.tsx';
import { LabelProvider, useSectorLabels } from './labels.ts';
import { useOnline, withFree } from './online.ts';
import { Queue } from './Queue.tsx';
import { Tiles } from './Tiles.tsx';
import { LiveTraffic } from './TrafficChart.tsx';
import { Trend } from './Trend.tsx';
import { useTrendOfDay, useTrends } from './trends.ts';
import { useLive } from './useLive.ts';

// Sent when they are opened.
const PastPage = lazy(() => import('./PastPage.tsx'));
const PlayedPage = lazy(() => import('./PlayedPage.tsx'));
const WallPage = lazy(() => import('./WallPage.tsx'));

/** What a team lead watches: how many, who waits, who carries what, and how much comes in; now, or as it was. */
export function LivePage() {
  const { iso } = useMoment();
  const played = usePlayed();
  const { isWall } = useWall();
  if (iso === undefined) return isWall ? <WallPage /> : <Now />;
  return played === null ? <PastPage at={iso} /> : <PlayedPage played={played} />;
}

function Now() {
  const say = useWords();
  const { chats, total, complete, count, failure } = useStore(openChats);
  const live = useLive();
  const { day: messages } = useStore(traffic);
  const { rebuilding } = live;
  const labels = useSectorLabels(chats, live.sectors);
  const [samples, day] = [useTrends(), useTrendOfDay()];
  const trends = useMemo(
    () => ({
      open: <Trend samples={day} of="open" now={live.figures?.open} />,
      unanswered: <Trend samples={samples} of="unanswered" now={live.figures?.unanswered} />,
      unassigned: <Trend samples={day} of="unassigned" now={live.figures?.unassigned} />,
    }),
    [day, samples, live.figures],
  );
  return (
    <LabelProvider value={labels}>
      <div className="page live">
        <h1 className="hidden">{say('live')}</h1>
        {failure !== null && <Failure reason={failure} />}
        {!complete && total !== null && (
          <p className="notice quiet">
            {say('reading', { count: number(count), total: number(total) })} <span role="status">{say('partial')}</span>
          </p>
        )}
        {rebuilding && (
          <p className="notice quiet" role="status">
            {say('rebuilding', { done: number(rebuilding.done), total: number(rebuilding.total) })}
          </p>
        )}
        <Tiles live={live} day={messages} trends={trends} />
        <div className="board">
          <Queue waiting={live.waiting} />
          <div className="stacked">
            <AlertPanel />
            <People agents={live.agents} />
          </div>
          <div className="stacked of-day">
            <LiveTraffic />
            <Groups title={say('bySector')} groups={live.sectors} by="sector" />
          </div>
        </div>
      </div>
    </LabelProvider>
  );
}

/** By itself: whether it is still known who is online is looked at every second. */
function People({ agents }: { agents: Group[] | null }) {
  const say = useWords();
  const online = useOnline();
  const groups = useMemo(() => agents && withFree(agents, online), [agents, online]);
  return <Groups title={say('byAgent')} groups={groups} by="owner" online={online} />;
}
