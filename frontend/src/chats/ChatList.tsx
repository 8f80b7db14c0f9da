import { Skeleton } from '@mantine/core';
import { useVirtualizer } from '@tanstack/react-virtual';
import { memo, useEffect, useRef } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Chat } from 'umbler-hub-client';

import { useNow } from '../hub/clock.ts';
import { calledOf } from '../hub/given-names.ts';
import { givenNames, looked } from '../hub/hub.tsx';
import { isUnread } from '../hub/looked.ts';
import { useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { urgencyOf } from '../hub/waits.ts';
import { useSectorName } from '../live/labels.ts';
import { useLimits, WORD_OF } from '../live/limits.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { HeldChip } from '../parts/HeldChip.tsx';
import { Failure } from '../parts/Notice.tsx';
import { SpokenResult } from '../parts/Spoken.tsx';
import { holding, useHeld } from '../parts/useHeld.ts';
import { useListKeys } from '../parts/useListKeys.ts';
import { clock, moment, number } from '../words/format.ts';
import { contactTitle, lastWords } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { NAMES, waits, type Filters } from './filters.ts';
import { countOf, type ShownRows } from './useRows.ts';

const ROW_PX = 72;
const idOf = ({ id }: Chat) => id;
/** So near to the end the next page is asked for. */
const NEAR = 20;

interface ChatListProps {
  rows: ShownRows;
  filters: Filters;
  chosen: string | undefined;
  isPast?: boolean;
}

/** As many rows as there are chats, but only those in sight exist. */
export function ChatList({
  rows: { chats: found, total, failure, more, again },
  filters,
  chosen,
  isPast = false,
}: ChatListProps) {
  const say = useWords();
  const box = useRef<HTMLDivElement>(null);
  const held = useHeld(found, idOf, filters);
  const chats = held.shown;
  const count = chats?.length ?? 0;
  const known = found?.length ?? 0;
  const rows = useVirtualizer({
    count,
    getScrollElement: () => box.current,
    estimateSize: () => ROW_PX,
    getItemKey: (index) => chats?.[index]?.id ?? index,
    overscan: 6,
  });
  const keys = useListKeys(rows, count, chosen, (index) => {
    const chat = chats?.[index];
    return chat !== undefined && held.isGone(chat);
  });
  const items = rows.getVirtualItems();
  const end = items.at(-1)?.index ?? 0;
  useEffect(() => {
    if (end >= count - NEAR && failure === null) more?.();
  }, [end, count, failure, more]);

  // Whoever comes from another page sees where in the list the chat stands; after that nothing moves by itself.
  const sought = useRef(chosen);
  useEffect(() => {
    if (sought.current === undefined || chats === null) return;
    const place = chats.findIndex(({ id }) => id === sought.current);
    if (place < 0 && chosen === sought.current) return;
    if (chosen === sought.current && box.current?.scrollTop === 0) rows.scrollToIndex(place);
    sought.current = undefined;
  }, [chats, chosen, rows]);

  const shown = say(countOf(known, total), { count: number(known), total: number(total) });
  const narrowed = filters.status !== 'open' || filters.search !== '' || NAMES.some((name) => filters[name] !== '');
  return (
    <>
      <p className="count quiet">{chats === null ? say('loading') : shown}</p>
      <SpokenResult text={found === null || total === null ? null : shown} act={filters} />
      {failure !== null && <Failure reason={failure} {...(again ? { again } : {})} />}
      <div className="scroll" ref={box} {...keys.box} {...holding(held, keys.box.onKeyDown)}>
        <HeldChip {...held} />
        {/* Where the rows will stand, so that nothing moves when they come. */}
        {chats === null &&
          failure === null &&
          [1, 2, 3, 4, 5].map((row) => <Skeleton key={row} height={52} className="bone" />)}
        {known === 0 && chats !== null && total !== null && (
          <p className="blank">{narrowed ? say('noMatch') : say(isPast ? 'noneThen' : 'noChats')}</p>
        )}
        <ul className="virtual" data-list="" style={{ height: rows.getTotalSize() }}>
          {items.map(({ key, index, start, size }) => {
            const chat = chats?.[index];
            return (
              chat &&
              !held.isGone(chat) && (
                <li
                  key={key}
                  data-index={index}
                  style={{ transform: `translateY(${start}px)`, height: size }}
                  aria-setsize={total ?? count}
                  aria-posinset={index + 1}
                >
                  <Row chat={chat} isChosen={chat.id === chosen} isStop={keys.isStop(key)} isPast={isPast} />
                </li>
              )
            );
          })}
        </ul>
      </div>
    </>
  );
}

interface RowProps {
  chat: Chat;
  isChosen: boolean;
  isStop: boolean;
  isPast: boolean;
}

const Row = memo(function Row({ chat, isChosen, isStop, isPast }: RowProps) {
  const say = useWords();
  const seen = useStore(looked);
  // The one in view tells by itself what is new in it.
  const isNew = !isPast && !isChosen && isUnread(seen, chat);
  const [params] = useSearchParams();
  const search = new URLSearchParams(params);
  // A message that a search led to is of another chat.
  search.delete('message');
  const sectorName = useSectorName();
  const given = useStore(givenNames);
  const role = useRole();
  const { lastMessage } = chat;
  const tags = chat.tags.map((tag) => ({ id: tag.id, name: calledOf(given, 'tag', tag) ?? tag.id }));
  const line = lastMessage === null ? '' : lastWords(say, lastMessage, role);
  return (
    <Link
      className="chat"
      to={{ pathname: `/chats/${encodeURIComponent(chat.id)}`, search: search.toString() }}
      aria-current={isChosen || undefined}
      tabIndex={isStop ? 0 : -1}
      data-open={chat.open}
      data-unread={isNew || undefined}
    >
      <Avatar name={chat.contactName} />
      <span className="main">
        {isNew && <span className="hidden">{say('unread')}: </span>}
        <span className="name">
          <span title={contactTitle(say, chat)}>{contactTitle(say, chat)}</span>
          {chat.kind !== 'direct' && <em className="chip">{say(`k_${chat.kind}`)}</em>}
          {!chat.open && <em className="chip">{say('s_one_closed')}</em>}
        </span>
        <span className="quiet" title={line}>
          {lastMessage?.direction === 'out' && '↩ '}
          {line}
        </span>
        <span className="quiet small" title={[sectorName(chat.sector), ...tags.map(({ name }) => name)].join(' · ')}>
          {sectorName(chat.sector)}
          {tags.map(({ id, name }) => (
            <em key={id} className="chip">
              {name}
            </em>
          ))}
        </span>
      </span>
      <span className="times">
        <time className="quiet small" dateTime={chat.lastActivityAt ?? undefined}>
          {moment(chat.lastActivityAt)}
        </time>
        {waits(chat) && <Wait sinceMs={Date.parse(chat.waitingSince ?? '')} sector={chat.sector?.id} />}
      </span>
    </Link>
  );
});

/** How long the customer waits, and of how much time that is. */
function Wait({ sinceMs, sector }: { sinceMs: number; sector: string | undefined }) {
  const say = useWords();
  const limits = useLimits().of(sector);
  const wait = useNow() - sinceMs;
  const { lateMs } = limits;
  const urgency = urgencyOf(wait, limits);
  return (
    <>
      <span className="hidden">{say(WORD_OF[urgency])}</span>
      <span
        className="wait"
        data-urgency={urgency}
        title={lateMs === null ? undefined : say('waitOf', { wait: clock(wait), limit: clock(lateMs) })}
      >
        {clock(wait)}
      </span>
      {lateMs !== null && (
        <>
          <span className="deadline" data-urgency={urgency} aria-hidden="true">
            <i style={{ width: `${Math.min(1, wait / lateMs) * 100}%` }} />
          </span>
          <span className="limit quiet">{say('ofLimit', { limit: clock(lateMs) })}</span>
        </>
      )}
    </>
  );
}
