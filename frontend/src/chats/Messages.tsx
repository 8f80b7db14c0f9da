import { Button, Skeleton } from '@mantine/core';
import { Fragment, useCallback, useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import type { Chat, Message } from 'umbler-hub-client';

import type { ConversationState } from '../hub/conversation.ts';
import { looked } from '../hub/hub.tsx';
import { lookedUntil, placeOf } from '../hub/looked.ts';
import { useStore } from '../hub/store.ts';
import { dayName } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { zone } from '../words/zone.ts';
import { EventLine } from './History.tsx';
import { MessageItem } from './MessageItem.tsx';
import { threadOf } from './thread.ts';
import type { Step } from './useTimeline.ts';

/** Whoever is this near to the end follows it. */
const NEAR_PX = 80;
const NO_STEPS: Step[] = [];

interface MessagesProps {
  state: ConversationState;
  steps: Step[] | null;
  older: () => void;
  wanted: string | null;
  /** It is looked at as it is now, and that is kept. */
  isNow?: boolean;
}

/** What was written, day by day, with what happened in between. */
export function Messages({
  state: { chat, messages, hasOlder, loadingOlder, failure },
  steps,
  older,
  wanted,
  isNow = false,
}: MessagesProps) {
  const say = useWords();
  const timeZone = useStore(zone);
  const days = useMemo(
    () => threadOf(messages ?? [], steps ?? NO_STEPS, messages !== null && !hasOlder, timeZone),
    [messages, steps, hasOlder, timeZone],
  );
  const { box, isLookedAt, follow, scrolled, isBehind, toEnd } = usePlace(messages, days, wanted);
  const { mark, look } = useNewSince(messages, isNow ? chat : null, isNow, isLookedAt);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the line makes it higher, too
  useLayoutEffect(follow, [mark]);
  const byId = new Map(messages?.map((message) => [message.id, message]));
  return (
    <div className="messages">
      <div
        className="scroll"
        ref={box}
        onScroll={() => {
          scrolled();
          look();
        }}
        tabIndex={0}
        role="log"
        aria-label={say('conversation')}
        aria-busy={messages === null}
      >
        {messages === null &&
          failure === null &&
          [1, 2, 3].map((row) => <Skeleton key={row} height={48} width={`${40 + row * 12}%`} className="bone" />)}
        {hasOlder && (
          <Button className="older" size="compact-sm" variant="default" loading={loadingOlder} onClick={older}>
            {say('older')}
          </Button>
        )}
        {messages?.length === 0 && <p className="blank">{say('noMessages')}</p>}
        {messages !== null && messages.length > 0 && !hasOlder && <p className="quiet begin">{say('begin')}</p>}
        {messages !== null &&
          days.map(({ day, items }) => (
            <section key={day} className="thread-day">
              <h3 className="day-mark">
                <span>{dayName(say, day)}</span>
              </h3>
              <ol>
                {items.map((item) =>
                  item.kind === 'event' ? (
                    <EventLine key={item.key} step={item.step} />
                  ) : (
                    <Fragment key={item.key}>
                      <MessageItem
                        message={item.message}
                        isContinued={item.isContinued}
                        isWanted={item.message.id === wanted}
                        quoted={item.message.replyTo === null ? null : (byId.get(item.message.replyTo.id) ?? 'away')}
                      />
                      {item.message.id === mark && <li className="new-since">{say('newSince')}</li>}
                    </Fragment>
                  ),
                )}
              </ol>
            </section>
          ))}
      </div>
      {isBehind && (
        <Button className="to-end" size="compact-sm" onClick={toEnd}>
          {say('newBelow')} ↓
        </Button>
      )}
    </div>
  );
}

/** Whoever reads further up stays there: when newer ones come, and when older ones are put above. */
function usePlace(messages: Message[] | null, drawn: unknown, wanted: string | null) {
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const first = useRef<{ id: string | undefined; height: number }>({ id: undefined, height: 0 });
  const last = messages?.at(-1)?.id;
  const [seen, setSeen] = useState<string | undefined>(undefined);
  // biome-ignore lint/correctness/useExhaustiveDependencies: events that come in between make it higher, too
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    const oldest = messages?.[0]?.id;
    if (atEnd.current) {
      current.scrollTop = current.scrollHeight;
      setSeen(last);
    } else if (oldest !== first.current.id) current.scrollTop += current.scrollHeight - first.current.height;
    first.current = { id: oldest, height: current.scrollHeight };
  }, [messages, last, drawn]);

  const follow = useCallback(() => {
    if (box.current && atEnd.current) box.current.scrollTop = box.current.scrollHeight;
  }, []);
  // What is written below grows, and a phone's keyboard comes up: whoever looks at the end still does.
  useEffect(() => {
    const { current } = box;
    if (!current) return;
    const observer = new ResizeObserver(follow);
    observer.observe(current);
    return () => observer.disconnect();
  }, [follow]);

  // The message that a search led to, once it is here.
  const isHere = wanted !== null && messages?.some(({ id }) => id === wanted) === true;
  // biome-ignore lint/correctness/useExhaustiveDependencies: another find marks another message
  useLayoutEffect(() => {
    if (!isHere) return;
    const item = box.current?.querySelector<HTMLElement>('[data-wanted]');
    atEnd.current = false;
    item?.scrollIntoView({ block: 'center' });
    item?.focus({ preventScroll: true });
  }, [isHere, wanted]);

  function scrolled() {
    const { current } = box;
    if (!current) return;
    atEnd.current = current.scrollHeight - current.scrollTop - current.clientHeight < NEAR_PX;
    if (atEnd.current) setSeen(last);
  }

  const isLookedAt = useCallback(() => atEnd.current && document.visibilityState === 'visible', []);
  return {
    box,
    isLookedAt,
    follow,
    scrolled,
    isBehind: seen !== undefined && last !== seen,
    toEnd: () => box.current?.scrollTo({ top: box.current.scrollHeight }),
  };
}

/**
 * The last message before those that are new to whoever looks: that came since the chat was open the last time, or while
 * nobody looked at the end of it. Of the past nothing is kept, and `chat` is null.
 */
function useNewSince(messages: Message[] | null, chat: Chat | null, isNow: boolean, isLookedAt: () => boolean) {
  const last = messages?.at(-1);
  const end = last && placeOf(last);
  /** Up to there it was looked at; null before anything was shown. */
  const seen = useRef<string | null>(null);
  const [line, setLine] = useState<string | null>(null);
  const isReady = end !== undefined && (chat !== null || !isNow);
  const look = () => {
    if (!isReady || !isLookedAt()) return;
    seen.current = end;
    if (chat !== null) looked.see(chat, end);
  };
  const latest = useRef(look);
  useLayoutEffect(() => {
    latest.current = look;
  });
  // Before anything is painted, that the line is there at once.
  // biome-ignore lint/correctness/useExhaustiveDependencies: what else changes of the chat is not written in it
  useLayoutEffect(() => {
    if (!isReady) return;
    const kept = chat === null ? null : looked.get();
    const isFirst = seen.current === null;
    seen.current ??= chat === null || kept === null ? end : lookedUntil(kept, chat.id);
    if (isFirst ? seen.current < end : !isLookedAt()) setLine(seen.current);
    latest.current();
  }, [end, isReady, chat?.id, isLookedAt]);
  useEffect(() => {
    const back = () => latest.current();
    document.addEventListener('visibilitychange', back);
    return () => document.removeEventListener('visibilitychange', back);
  }, []);
  const mark = useMemo(() => {
    const before = line === null ? undefined : messages?.findLast((message) => placeOf(message) <= line);
    return before === messages?.at(-1) ? undefined : before?.id;
  }, [messages, line]);
  return { mark, look };
}
