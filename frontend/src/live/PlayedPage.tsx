import { useMemo } from 'react';

import { MomentContext } from '../hub/clock.ts';
import type { Playing } from '../hub/replays.ts';
import { useWords } from '../words/words.ts';
import { Groups } from './Groups.tsx';
import { Queue } from './Queue.tsx';
import { Tiles } from './Tiles.tsx';
import { liveOf } from '../hub/waits.ts';

/** The live page as it is played, read off the open chats. What they do not tell is left out, and said to be. */
export function PlayedPage({ played: { phase, at, chats } }: { played: Playing }) {
  const say = useWords();
  const reading = phase === 'reading';
  const live = useMemo(() => (reading ? null : liveOf(chats)), [reading, chats]);
  return (
    <MomentContext value={at}>
      <div className="page live past" aria-busy={reading}>
        <h1 className="hidden">
          {say('live')}, {say('pastWord')}
        </h1>
        <Tiles live={live} messagesToday="–" />
        <div className="columns">
          <Queue waiting={live?.waiting ?? null} />
          <div className="side">
            <Groups title={say('bySector')} groups={live?.sectors ?? null} by="sector" />
            <Groups title={say('byAgent')} groups={live?.agents ?? null} by="owner" />
            <section className="card">
              <h2>
                {say('trafficTitle')}, {say('alerts')}
              </h2>
              <p className="blank">{say('notPlayed')}</p>
            </section>
          </div>
        </div>
      </div>
    </MomentContext>
  );
}
