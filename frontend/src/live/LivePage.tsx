import { useMemo } from 'react';

import { useMoment } from '../app/moment.ts';
import { usePlayed } from '../app/played.ts';
import { useWall, useWallKeeping } from '../app/wall.ts';
import { openChats, useBoards, useData } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { Failure } from '../parts/Notice.tsx';
import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { AlertPanel } from './AlertPanel.tsx';
import { Groups } from './Groups.tsx';
import { PastPage } from './PastPage.tsx';
import { PlayedPage } from './PlayedPage.tsx';
import { Queue } from './Queue.tsx';
import { Tiles } from './Tiles.tsx';
import { LiveTraffic } from './TrafficChart.tsx';
import { Trend } from './Trend.tsx';
import { useTrendOfDay, useTrends } from './trends.ts';
import { figuresOf, groupsOf, waitsOf } from '../hub/waits.ts';

/** What a team lead watches: how many, who waits, who carries what, and how much comes in; now, or as it was. */
export function LivePage() {
  const { iso } = useMoment();
  const played = usePlayed();
  if (iso === undefined) return <Now />;
  return played === null ? <PastPage at={iso} /> : <PlayedPage played={played} />;
}

function Now() {
  const say = useWords();
  const { isWall, leave } = useWall();
  useWallKeeping(isWall, leave);
  const { total, complete, count, failure } = useStore(openChats);
  const live = useLive();
  const { rebuilding } = live;
  const [samples, day] = [useTrends(), useTrendOfDay()];
  const trends = {
    open: <Trend samples={day} of="open" now={live.figures?.open} />,
    unanswered: <Trend samples={samples} of="unanswered" now={live.figures?.unanswered} />,
    unassigned: <Trend samples={day} of="unassigned" now={live.figures?.unassigned} />,
  };
  return (
    <div className="page live">
      <h1 className="hidden">{say('live')}</h1>
      {failure !== null && <Failure reason={failure} />}
      {!complete && total !== null && (
        <p className="notice quiet" role="status">
          {say('reading', { count: number(count), total: number(total) })} {say('partial')}
        </p>
      )}
      {rebuilding && (
        <p className="notice quiet" role="status">
          {say('rebuilding', { done: number(rebuilding.done), total: number(rebuilding.total) })}
        </p>
      )}
      <Tiles live={live} messagesToday={<MessagesToday />} trends={trends} />
      <div className="columns">
        <Queue waiting={live.waiting} />
        <div className="side">
          <AlertPanel />
          <Groups title={say('bySector')} groups={live.sectors} by="sector" />
          <LiveTraffic />
          <Groups title={say('byAgent')} groups={live.agents} by="owner" />
        </div>
      </div>
    </div>
  );
}

/**
 * Numbers as the hub pushes them; who waits, and what is not direct, out of the open chats. Once those are all here the
 * tiles say of waits what the list says: a chat that was reopened without a new message waits in the list alone.
 */
function useLive() {
  const boards = useBoards();
  const { 'metrics:live': whole, 'metrics:sectors': sectors, 'metrics:agents': agents } = boards;
  const open = useStore(openChats);
  const waiting = open.complete ? open.waiting : null;
  const indirect = useMemo(
    () => (open.complete ? open.chats.reduce((count, { kind }) => count + Number(kind !== 'direct'), 0) : null),
    [open],
  );
  const waits = useMemo(() => waiting && waitsOf(waiting), [waiting]);
  const row = whole?.live[0];
  return {
    figures: row === undefined ? null : { ...figuresOf(row), indirect, ...waits },
    waiting,
    sectors: useMemo(() => sectors && groupsOf(sectors.live, (_, { id = null }) => id), [sectors]),
    agents: useMemo(
      () => agents && groupsOf(agents.live, (chat) => openChats.find(chat)?.sector?.id ?? null),
      [agents],
    ),
    rebuilding: whole?.rebuilding ?? null,
  };
}

/** By itself: the client's data is another at every update. */
function MessagesToday() {
  return number(useData().stats?.messagesToday);
}
