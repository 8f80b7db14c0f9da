import { Skeleton } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { Link } from 'react-router';

import { useAddress } from '../app/moment.ts';
import { useNow } from '../hub/clock.ts';
import { useRole } from '../hub/role.ts';
import { isNewlyLate, urgencyOf, type Waiting } from '../hub/waits.ts';
import { AboutThis } from '../parts/AboutThis.tsx';
import { Below } from '../parts/Below.tsx';
import { HeldChip } from '../parts/HeldChip.tsx';
import { Icon } from '../parts/icons.tsx';
import { holding, useHeld } from '../parts/useHeld.ts';
import { useListKeys } from '../parts/useListKeys.ts';
import { agentName, agentTitle, clock, duration, number, talkUrl } from '../words/format.ts';
import { contactTitle, lastWords } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { useLimits, WORD_OF } from './limits.ts';
import { useSectorName } from './labels.ts';

/** As high as `.waiting` in `live.css`, and the gap under it. */
const ROW_PX = 52;

const idOf = ({ id }: Waiting) => id;

/** Whose customer waits, the longest first; each wait ticks by itself. */
export function Queue({ waiting, tooMany = false }: { waiting: Waiting[] | null; tooMany?: boolean }) {
  const say = useWords();
  const box = useRef<HTMLDivElement>(null);
  const held = useHeld(waiting, idOf);
  const { shown } = held;
  const { of, differ } = useLimits();
  const { attentionMs, lateMs } = of(null);
  const from = (ms: number) => say('thresholds', { age: duration(ms) });
  const rows = useVirtualizer({
    count: shown?.length ?? 0,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => shown?.[index]?.id ?? index,
    overscan: 6,
  });
  const keys = useListKeys(rows, shown?.length ?? 0, undefined, (index) => {
    const item = shown?.[index];
    return item !== undefined && held.isGone(item);
  });
  return (
    <section className="card panel queue" aria-labelledby="queue-title">
      <header>
        <h2 id="queue-title">
          {say('queue')} <span className="quiet">{waiting !== null && number(waiting.length)}</span>
        </h2>
        <AboutThis of={say('queue')}>
          {say('queueHint')}
          {attentionMs !== null && ` ${say('attention')}: ${from(attentionMs)}.`}
          {lateMs !== null && ` ${say('lateWord')}: ${from(lateMs)}.`}
          {differ && ` ${say('sectorsDiffer')}`}
        </AboutThis>
      </header>
      {tooMany && (
        <p className="blank" role="status">
          {say('tooManyWait')}
        </p>
      )}
      <div
        className="scroll"
        ref={box}
        {...keys.box}
        {...holding(held, keys.box.onKeyDown)}
        role="group"
        aria-labelledby="queue-title"
      >
        <HeldChip {...held} />
        {/* Where the rows will stand, so that nothing moves when they come. */}
        {waiting === null && !tooMany && (
          <div aria-busy="true" aria-label={say('loading')} role="status">
            {[1, 2, 3, 4, 5, 6].map((row) => (
              <Skeleton key={row} height={44} className="bone" />
            ))}
          </div>
        )}
        {waiting?.length === 0 && <p className="blank">{say('queueEmpty')}</p>}
        <ul className="virtual" data-list="" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ key, index, start, size }) => {
            const item = shown?.[index];
            return (
              item &&
              !held.isGone(item) && (
                <li
                  key={key}
                  style={{ transform: `translateY(${start}px)`, height: size }}
                  aria-setsize={shown.length}
                  aria-posinset={index + 1}
                >
                  <Row waiting={item} isStop={keys.isStop(key)} />
                </li>
              )
            );
          })}
        </ul>
      </div>
      <Below box={box} count={waiting?.length ?? 0} />
    </section>
  );
}

function Row({ waiting, isStop }: RowProps) {
  const { id, contactName, contactPhone, sector, owner, channel, lastMessage, sinceMs } = waiting;
  const say = useWords();
  const role = useRole();
  const address = useAddress();
  const sectorName = useSectorName();
  const wait = useNow() - sinceMs;
  const limits = useLimits().of(sector?.id);
  const urgency = urgencyOf(wait, limits);
  const who = contactTitle(say, { contactName, contactPhone });
  const said = lastMessage ? lastWords(say, lastMessage, role) : '';
  const place = [sectorName(sector), agentName(say, owner)].join(' · ');
  return (
    <div className="waiting" data-urgency={urgency} data-new={isNewlyLate(wait, limits) || undefined}>
      <Link
        className="main"
        to={address(`/chats/${encodeURIComponent(id)}`)}
        title={[`${who} · ${place}`, said, agentTitle(say, owner)].filter(Boolean).join('\n')}
        tabIndex={isStop ? 0 : -1}
      >
        <span className="who-where">
          <span className="name">{who}</span>
          <span className="quiet">{place}</span>
        </span>
        <span className="quiet">
          {said !== '' && lastMessage?.direction === 'out' && '↩ '}
          {said || channel}
        </span>
      </Link>
      <span className="wait">
        <time>{clock(wait)}</time>
        <span>{say(WORD_OF[urgency])}</span>
      </span>
      <a
        className="talk"
        href={talkUrl(id)}
        target="_blank"
        rel="noopener noreferrer"
        tabIndex={isStop ? 0 : -1}
        title={say('openTalk')}
        aria-label={`${say('openTalk')}: ${who}`}
      >
        <Icon name="out" />
      </a>
    </div>
  );
}

interface RowProps {
  waiting: Waiting;
  isStop: boolean;
}
