import { useMemo } from 'react';

import { MomentContext } from '../hub/clock.ts';
import type { Playing } from '../hub/replays.ts';
import { useWords } from '../words/words.ts';
import { Groups } from './Groups.tsx';
import { LabelProvider, useSectorLabels } from './labels.ts';
import { Queue } from './Queue.tsx';
import { Tiles } from './Tiles.tsx';
import { liveOf } from '../hub/waits.ts';

/** The live page as it is played, read off the open chats. What they do not tell is left out, and said to be. */
export default function PlayedPage({ played: { phase, at, chats } }: { played: Playing }) {
  const say = useWords();
  const reading = phase === 'reading';
  const live = useMemo(() => (reading ? null : liveOf(chats)), [reading, chats]);
  const labels = useSectorLabels(chats, live?.sectors ?? null);
  return (
    <MomentContext value={at}>
      <LabelProvider value={labels}>
        <div className="page live past" aria-busy={reading}>
          <h1 className="hidden">
            {say('live')}, {say('pastWord')}
          </h1>
          <Tiles live={live} day={null} />
          <div className="board">
            <Queue waiting={live?.waiting ?? null} />
            <div className="stacked">
              <section className="card panel" data-small="">
                <h2>
                  {say('trafficTitle')}, {say('alerts')}
                </h2>
                <p className="blank">{say('notPlayed')}</p>
              </section>
              <Groups title={say('bySector')} groups={live?.sectors ?? null} by="sector" />
            </div>
            <div className="stacked">
              <Groups title={say('byAgent')} groups={live?.agents ?? null} by="owner" />
            </div>
          </div>
        </div>
      </LabelProvider>
    </MomentContext>
  );
}
