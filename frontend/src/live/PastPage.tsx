import { useCallback, useEffect, useState } from 'react';
import type { Chat } from 'umbler-hub-client';

import { MomentContext } from '../hub/clock.ts';
import { reasonOf } from '../hub/errors.ts';
import { hub, useHub } from '../hub/hub.tsx';
import { readPast, type PastLive } from '../hub/past.ts';
import { Failure } from '../parts/Notice.tsx';
import { fullMoment, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { Groups } from './Groups.tsx';
import { LabelProvider, useSectorLabels } from './labels.ts';
import { Queue } from './Queue.tsx';
import { Tiles } from './Tiles.tsx';
import { TrafficChart } from './TrafficChart.tsx';
import { Trend } from './Trend.tsx';

/** Those of then are not here: the hub told what they come to. */
const NO_CHATS: Chat[] = [];

/** The live page as it stood at a moment. Nothing on it is of now; what the past does not tell says so. */
export default function PastPage({ at }: { at: string }) {
  const say = useWords();
  const { past, busy, failure, again } = usePast(at);
  const labels = useSectorLabels(NO_CHATS, past?.live.sectors ?? null);
  const trend = past?.trend ?? [];
  const trends =
    past === null
      ? {}
      : {
          open: <Trend samples={trend} of="open" now={past.live.figures.open} />,
          unassigned: <Trend samples={trend} of="unassigned" now={past.live.figures.unassigned} />,
        };
  return (
    <MomentContext value={past?.at ?? Date.parse(at)}>
      <LabelProvider value={labels}>
        <div className="page live past" aria-busy={busy}>
          <h1 className="hidden">{say('live')}</h1>
          <p className="hidden" role="status">
            {busy ? say('loading') : say('asItWas', { at: fullMoment(at) })}
          </p>
          {failure !== null && <Failure reason={failure} again={again} />}
          {past?.rebuilding && (
            <p className="notice quiet" role="status">
              {say('rebuilding', { done: number(past.rebuilding.done), total: number(past.rebuilding.total) })}
            </p>
          )}
          <Tiles live={past?.live ?? null} day={past?.day ?? null} trends={trends} />
          <div className="board">
            <Queue waiting={past?.live.waiting ?? null} tooMany={past !== null && past.live.waiting === null} />
            <div className="stacked">
              <section className="card panel" data-small="">
                <h2>{say('alerts')}</h2>
                <p className="blank">{say('noPastAlerts')}</p>
              </section>
              <Groups title={say('byAgent')} groups={past?.live.agents ?? null} by="owner" />
            </div>
            <div className="stacked of-day">
              <TrafficChart traffic={{ day: past?.day ?? null, failure: null, missing: false }} again={again} />
              <Groups title={say('bySector')} groups={past?.live.sectors ?? null} by="sector" />
            </div>
          </div>
        </div>
      </LabelProvider>
    </MomentContext>
  );
}

/** All of a moment at once. While another one is read, the one before stays, marked as busy; after a failure nothing does. */
function usePast(at: string) {
  const { isConnected } = useHub();
  const [begun, setBegun] = useState(isConnected);
  if (isConnected && !begun) setBegun(true);
  const [state, setState] = useState<{ past: PastLive | null; busy: boolean; failure: string | null }>({
    past: null,
    busy: true,
    failure: null,
  });
  const [tries, setTries] = useState(0);
  const again = useCallback(() => setTries((before) => before + 1), []);
  // Whoever is erased now is erased in the past, too.
  useEffect(() => hub.on('umbler_update', ({ erasedContactId }) => erasedContactId && again()), [again]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` asks once more
  useEffect(() => {
    if (!begun) return;
    let over = false;
    setState(({ past }) => ({ past, busy: true, failure: null }));
    readPast(at).then(
      (past) => !over && setState({ past, busy: false, failure: null }),
      (error) => !over && setState({ past: null, busy: false, failure: reasonOf(error) }),
    );
    return () => {
      over = true;
    };
  }, [at, begun, tries]);
  return { ...state, again };
}
