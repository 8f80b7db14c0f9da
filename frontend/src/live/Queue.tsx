import { Skeleton } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { useRef } from 'react';
import { Link } from 'react-router';

import { useAddress } from '../app/moment.ts';
import { useNow } from '../hub/clock.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/icons.tsx';
import { agentName, clock, duration, talkUrl } from '../words/format.ts';
import { contactTitle } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { urgencyOf, type Waiting } from '../hub/waits.ts';
import { useLimits } from './limits.ts';

const ROW_PX = 60;

/** Whose customer waits, the longest first; each wait ticks by itself. */
export function Queue({ waiting, tooMany = false }: { waiting: Waiting[] | null; tooMany?: boolean }) {
  const say = useWords();
  const box = useRef<HTMLDivElement>(null);
  const { of, differ } = useLimits();
  const { attentionMs, lateMs } = of(null);
  const from = (ms: number) => say('thresholds', { age: duration(ms) });
  const rows = useVirtualizer({
    count: waiting?.length ?? 0,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => waiting?.[index]?.id ?? index,
    overscan: 6,
  });
  return (
    <section className="card queue" aria-labelledby="queue-title">
      <header>
        <h2 id="queue-title">{say('queue')}</h2>
        <ul className="legend">
          <li data-urgency="soon">{say('soon')}</li>
          {attentionMs !== null && (
            <li data-urgency="attention">
              {say('attention')} <span>{from(attentionMs)}</span>
            </li>
          )}
          {lateMs !== null && (
            <li data-urgency="late">
              {say('lateWord')} <span>{from(lateMs)}</span>
            </li>
          )}
        </ul>
      </header>
      <p className="quiet">
        {say('queueHint')}
        {differ && ` ${say('sectorsDiffer')}`}
      </p>
      {tooMany && (
        <p className="blank" role="status">
          {say('tooManyWait')}
        </p>
      )}
      {waiting === null && !tooMany && (
        <div aria-busy="true" aria-label={say('loading')} role="status">
          {[1, 2, 3, 4].map((row) => (
            <Skeleton key={row} height={44} className="bone" />
          ))}
        </div>
      )}
      {waiting?.length === 0 && <p className="blank">{say('queueEmpty')}</p>}
      <div
        className="scroll"
        ref={box}
        tabIndex={waiting && waiting.length > 0 ? 0 : undefined}
        role="group"
        aria-labelledby="queue-title"
      >
        <ul className="virtual" style={{ height: rows.getTotalSize() }}>
          {rows.getVirtualItems().map(({ key, index, start, size }) => {
            const item = waiting?.[index];
            return (
              item && (
                <li
                  key={key}
                  style={{ transform: `translateY(${start}px)`, height: size }}
                  aria-setsize={waiting.length}
                  aria-posinset={index + 1}
                >
                  <Row {...item} />
                </li>
              )
            );
          })}
        </ul>
      </div>
    </section>
  );
}

function Row({ id, contactName, contactPhone, sector, owner, channel, sinceMs }: Waiting) {
  const say = useWords();
  const address = useAddress();
  const wait = useNow() - sinceMs;
  const urgency = urgencyOf(wait, useLimits().of(sector?.id));
  const who = contactTitle(say, { contactName, contactPhone });
  const words = { soon: say('soon'), attention: say('attention'), late: say('lateWord') };
  return (
    <div className="waiting" data-urgency={urgency}>
      <Avatar name={contactName} />
      <Link className="main" to={address(`/chats/${encodeURIComponent(id)}`)}>
        <span className="name">{who}</span>
        <span className="quiet">
          {[sector?.name ?? sector?.id ?? say('noSector'), agentName(say, owner), channel].filter(Boolean).join(' · ')}
        </span>
      </Link>
      <span className="wait">
        <time>{clock(wait)}</time>
        <span>{words[urgency]}</span>
      </span>
      <a
        className="talk"
        href={talkUrl(id)}
        target="_blank"
        rel="noopener noreferrer"
        title={say('openTalk')}
        aria-label={`${say('openTalk')}: ${who}`}
      >
        <Icon name="out" />
      </a>
    </div>
  );
}
