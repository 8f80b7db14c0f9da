import { Button } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import type { Alert } from 'umbler-hub-client';

import { Freshness } from '../app/Freshness.tsx';
import { useWall, useWallKeeping } from '../app/wall.ts';
import { pressing } from '../hub/alerts.ts';
import { useNow } from '../hub/clock.ts';
import { alerts, hubState, openChats, settings, useHub } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { urgencyOf, type Group, type Waiting } from '../hub/waits.ts';
import { clock, clockTime, number } from '../words/format.ts';
import { contactTitle } from '../words/people.ts';
import { useWords, type Say } from '../words/words.ts';
import { isNewAlert, ordered, tallyOf, URGENT } from './alertGroups.ts';
import { useLimits, WORD_OF } from './limits.ts';
import { LabelProvider, useSectorLabels, useSectorName } from './labels.ts';
import { Tiles } from './Tiles.tsx';
import { LiveTraffic } from './TrafficChart.tsx';
import { useLive } from './useLive.ts';

/** As many as can be read from across the room at 1366 × 768 as at 4K: the wall grows, its rows do not. */
const ROWS_MAX = 8;
const SECTORS_MAX = 6;
/** How long the way out is shown after the pointer moved. */
const POINTER_MS = 3000;

/** The live page for a screen that nobody touches: nothing scrolls and nothing is to be clicked. */
export default function WallPage() {
  const say = useWords();
  const { leave } = useWall();
  const { connectionStatus } = useHub();
  const hubSays = useStore(hubState).status;
  const isOld = connectionStatus !== 'connected' || hubSays === 'behind' || hubSays === 'unwritable';
  const live = useLive();
  const { chats, complete, failure } = useStore(openChats);
  const labels = useSectorLabels(chats, live.sectors);
  useWallKeeping(true, leave);
  return (
    <LabelProvider value={labels}>
      <div className="wall" data-stale={isOld || undefined}>
        <header className="wall-head">
          <h1 className="hidden">{say('live')}</h1>
          <Freshness />
          <Leave leave={leave} />
          <Clock />
        </header>
        <Tiles live={live} isWall />
        <NewAlerts />
        <div className="wall-board">
          <Waits waiting={live.waiting} />
          <Sectors groups={live.sectors} />
          <LiveTraffic />
        </div>
        {(failure !== null || !complete) && (
          <p className="wall-note" role="status">
            {failure === null ? say('loading') : say('failed', { reason: failure })}
          </p>
        )}
      </div>
    </LabelProvider>
  );
}

function Clock() {
  return <time className="wall-clock">{clockTime(useNow())}</time>;
}

/** Escape leads out too; the button is there for whoever has a mouse, or comes to it with the keyboard. */
function Leave({ leave }: { leave: () => void }) {
  const say = useWords();
  const [isMoved, setMoved] = useState(false);
  useEffect(() => {
    let timer: ReturnType<typeof setTimeout>;
    const moved = () => {
      setMoved(true);
      clearTimeout(timer);
      timer = setTimeout(() => setMoved(false), POINTER_MS);
    };
    document.addEventListener('pointermove', moved);
    document.addEventListener('pointerdown', moved);
    return () => {
      clearTimeout(timer);
      document.removeEventListener('pointermove', moved);
      document.removeEventListener('pointerdown', moved);
    };
  }, []);
  return (
    <Button className="leave" data-shown={isMoved || undefined} variant="default" onClick={leave}>
      {say('leaveWall')}
    </Button>
  );
}

/** Alerts of the last minute across the whole wall. Its line is there without any too, so that nothing moves. */
function NewAlerts() {
  const say = useWords();
  const now = useNow();
  const sectorName = useSectorName();
  const { alerts: all } = useStore(alerts);
  const known = useMemo(() => (all === null ? null : pressing(all)), [all]);
  const rules = useStore(settings);
  const fresh = known?.filter((one) => one.acknowledgedAt === null && isNewAlert(one.raisedAt, now)) ?? [];
  const first = ordered(fresh)[0];
  if (first === undefined)
    return (
      <p className="wall-alert" role="status">
        {rules.settings !== null && rules.updatedAt === null ? say('alertsOff') : known !== null && countOf(say, known)}
      </p>
    );
  const { kind, contactName, chatId, sector, since } = first;
  const who = contactTitle(say, { contactName, contactPhone: openChats.find(chatId)?.contactPhone });
  return (
    <p className="wall-alert" role="status" data-urgency={URGENT[kind] ? 'late' : 'attention'}>
      <strong>{say(`alert_${kind}`)}</strong>
      <span className="cut" title={[who, sectorName(sector)].join(' · ')}>
        {[who, sectorName(sector)].join(' · ')}
      </span>
      <time aria-hidden="true">{clock(now - Date.parse(since))}</time>
      {fresh.length > 1 && <span>{say('moreAlerts', { count: number(fresh.length - 1) })}</span>}
    </p>
  );
}

function countOf(say: Say, all: Alert[]): string {
  return all.length === 0 ? say('noAlerts') : `${say('alerts')}: ${tallyOf(say, all)}`;
}

function Waits({ waiting }: { waiting: Waiting[] | null }) {
  const say = useWords();
  const left = (waiting?.length ?? 0) - ROWS_MAX;
  return (
    <section className="card panel queue" aria-labelledby="wall-queue">
      <header>
        <h2 id="wall-queue">{say('queue')}</h2>
        {left > 0 && <strong>{say('moreWait', { count: number(left) })}</strong>}
      </header>
      {waiting?.length === 0 && <p className="blank">{say('queueEmpty')}</p>}
      <ol className="wall-rows">
        {waiting?.slice(0, ROWS_MAX).map((one) => (
          <Wait key={one.id} waiting={one} />
        ))}
      </ol>
    </section>
  );
}

function Wait({ waiting: { contactName, contactPhone, sector, sinceMs } }: { waiting: Waiting }) {
  const say = useWords();
  const sectorName = useSectorName();
  const limits = useLimits().of(sector?.id);
  const wait = useNow() - sinceMs;
  const urgency = urgencyOf(wait, limits);
  const who = contactTitle(say, { contactName, contactPhone });
  return (
    <li className="waiting" data-urgency={urgency}>
      <span className="name cut" title={who}>
        {who}
      </span>
      <span className="quiet cut" title={sectorName(sector)}>
        {sectorName(sector)}
      </span>
      <time>{clock(wait)}</time>
      <span className="hidden">{say(WORD_OF[urgency])}</span>
    </li>
  );
}

/** Those with the most who wait first; how many wait of how many are open. */
function Sectors({ groups }: { groups: Group[] | null }) {
  const say = useWords();
  const sectorName = useSectorName();
  const sorted = useMemo(() => groups?.toSorted((a, b) => b.waiting - a.waiting || b.open - a.open) ?? [], [groups]);
  const most = Math.max(1, ...sorted.map(({ open }) => open));
  const left = sorted.length - SECTORS_MAX;
  return (
    <section className="card panel sectors" aria-labelledby="wall-sectors">
      <header>
        <h2 id="wall-sectors">{say('sectorsWall')}</h2>
        {left > 0 && <strong>{say('moreSectors', { count: number(left) })}</strong>}
      </header>
      {groups?.length === 0 && <p className="blank">{say('noneOpen')}</p>}
      <ol className="wall-rows">
        {sorted.slice(0, SECTORS_MAX).map(({ key, who, open, waiting }) => (
          <li key={key} className="sector">
            <span className="name cut" title={sectorName(who)}>
              {sectorName(who)}
            </span>
            <span>
              {number(waiting)} <span className="quiet">/ {number(open)}</span>
            </span>
            <span className="lanes" aria-hidden="true">
              <i style={{ width: `${(open / most) * 100}%` }} />
              {waiting > 0 && <b style={{ width: `${(waiting / most) * 100}%` }} />}
            </span>
          </li>
        ))}
      </ol>
    </section>
  );
}
