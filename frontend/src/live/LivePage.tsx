import { useMemo } from 'react';

import { openChats } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { useWall, useWallKeeping } from '../app/wall.ts';
import { Failure } from '../parts/Notice.tsx';
import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { AlertPanel } from './AlertPanel.tsx';
import { Groups } from './Groups.tsx';
import { Queue } from './Queue.tsx';
import { Tiles } from './Tiles.tsx';
import { LiveTraffic } from './TrafficChart.tsx';
import { liveOf } from './waits.ts';

/** What a team lead watches: how many, who waits, who carries what, and how much comes in. */
export function LivePage() {
  const say = useWords();
  const { isWall, leave } = useWall();
  useWallKeeping(isWall, leave);
  const { chats, complete, total, failure } = useStore(openChats);
  const live = useMemo(() => (complete ? liveOf(chats) : null), [chats, complete]);
  return (
    <div className="page live">
      <h1 className="hidden">{say('live')}</h1>
      {failure !== null && <Failure reason={failure} />}
      {!complete && total !== null && (
        <p className="notice quiet" role="status">{say('reading', { count: number(chats.length), total: number(total) })} {say('partial')}</p>
      )}
      <Tiles live={live} />
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
