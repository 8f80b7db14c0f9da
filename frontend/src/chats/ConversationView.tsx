import { Button } from '@mantine/core';
import { useEffect, useMemo, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';
import type { Chat } from 'umbler-hub-client';

import { useNow } from '../hub/clock.ts';
import { Conversation, type ConversationState } from '../hub/conversation.ts';
import { hub, replays, useHub } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { urgencyOf } from '../hub/waits.ts';
import { useLimits } from '../live/limits.ts';
import { useChannelName, useSectorName } from '../live/labels.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/icons.tsx';
import { Failure } from '../parts/Notice.tsx';
import { agentName, agentTitle, clock, fullMoment, talkUrl } from '../words/format.ts';
import { contactTitle } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { Composer } from './Composer.tsx';
import { Details, Watchers } from './Details.tsx';
import { waits } from './filters.ts';
import { Messages } from './Messages.tsx';
import { useReach, useTimeline } from './useTimeline.ts';

/** Opens a conversation once the hub is there, and closes it with the view. */
function useOpen(conversation: Conversation) {
  const { isConnected } = useHub();
  const [opened, setOpened] = useState(isConnected);
  if (isConnected && !opened) setOpened(true);
  useEffect(() => {
    if (!opened) return;
    conversation.open();
    return () => conversation.close();
  }, [conversation, opened]);
}

/** One chat, read as it grows, and beside it what is known of it. */
export function ConversationView({ id, wanted }: { id: string; wanted: string | null }) {
  const say = useWords();
  const conversation = useMemo(() => new Conversation(hub, id), [id]);
  useOpen(conversation);
  useEffect(() => {
    hub.setPresence(id);
    return () => hub.setPresence(null);
  }, [id]);
  const state = useStore(conversation);
  const isLoaded = state.messages !== null;
  useEffect(() => {
    if (wanted !== null && isLoaded) void conversation.reach(wanted);
  }, [conversation, wanted, isLoaded]);
  const timeline = useTimeline(id);
  useReach(timeline, state.messages?.[0]?.at);
  const { chat, failure, gone } = state;
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="reading" data-details={isOpen || undefined}>
      <section className="conversation" aria-label={say('conversation')}>
        <Head id={id} state={state} isOpen={isOpen} toggle={() => setOpen(!isOpen)} />
        <Watchers id={id} />
        {failure !== null && <Failure reason={failure} again={() => void conversation.load()} />}
        {gone ? (
          <p className="blank" role="status">
            {say('gone')}
          </p>
        ) : (
          <Messages
            state={state}
            steps={timeline.steps}
            older={() => void conversation.older()}
            wanted={wanted}
            isNow
          />
        )}
        {chat?.open === false && (
          <p className="closed quiet">
            {say('closedChat')} {chat.closedAt && fullMoment(chat.closedAt)}
          </p>
        )}
        {!gone && chat !== null && <Composer chat={chat} messages={state.messages} />}
      </section>
      <Details id={id} state={state} timeline={timeline} />
    </div>
  );
}

/** One chat as it was, or as it is played; nobody is told who looks at it. */
export function PastConversation({ id, at, isPlayed = false }: { id: string; at: string; isPlayed?: boolean }) {
  const say = useWords();
  const conversation = useMemo(
    () => new Conversation(hub, id, at, isPlayed ? replays.follow : null),
    [id, at, isPlayed],
  );
  useOpen(conversation);
  const state = useStore(conversation);
  const timeline = useTimeline(isPlayed ? null : id, at);
  useReach(timeline, state.messages?.[0]?.at);
  const { chat, failure, unknown, gone } = state;
  const [isOpen, setOpen] = useState(false);
  return (
    <div className="reading" data-details={isOpen || undefined}>
      <section className="conversation" aria-label={say('conversation')}>
        <Head id={id} state={state} isOpen={isOpen} toggle={() => setOpen(!isOpen)} />
        {failure !== null && <Failure reason={failure} again={() => void conversation.load()} />}
        {unknown || gone ? (
          <p className="blank" role="status">
            {say('notKnownThen')}
          </p>
        ) : (
          <Messages state={state} steps={timeline.steps} older={() => void conversation.older()} wanted={null} />
        )}
        {chat?.open === false && (
          <p className="closed quiet">
            {say('closedThen')} {chat.closedAt && fullMoment(chat.closedAt)}
          </p>
        )}
      </section>
      <Details id={id} state={state} timeline={isPlayed ? null : timeline} isPast />
    </div>
  );
}

interface HeadProps {
  id: string;
  state: ConversationState;
  isOpen: boolean;
  toggle: () => void;
}

function Head({ id, state: { chat, contact }, isOpen, toggle }: HeadProps) {
  const say = useWords();
  const sectorName = useSectorName();
  const channelName = useChannelName();
  const [params] = useSearchParams();
  const title = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another chat has another title
  useEffect(() => title.current?.focus({ preventScroll: true }), [id]);
  const about =
    chat &&
    [
      chat.channel && channelName(chat.channel),
      sectorName(chat.sector),
      agentName(say, chat.owner),
      // That it is open goes without saying, and how long somebody waits stands beside it.
      chat.open ? chat.status === 'waiting' && !waits(chat) && say('s_one_waiting') : say('s_one_closed'),
    ]
      .filter(Boolean)
      .join(' · ');
  return (
    <header>
      <Link className="back" to={{ pathname: '/chats', search: params.toString() }} aria-label={say('back')}>
        <Icon name="back" />
      </Link>
      <Avatar name={chat?.contactName ?? null} picture={contact?.pictureUrl ?? null} />
      <div className="main">
        <h2 ref={title} tabIndex={-1} title={chat === null ? undefined : contactTitle(say, chat)}>
          {chat === null ? say('conversation') : contactTitle(say, chat)}
        </h2>
        <p
          className="quiet"
          title={[about, chat && agentTitle(say, chat.owner)].filter(Boolean).join('\n') || undefined}
        >
          {about}
        </p>
      </div>
      {chat === null ? <p className="due" /> : <Due chat={chat} />}
      <Button className="fold" size="compact-sm" variant="default" aria-expanded={isOpen} onClick={toggle}>
        {say('details')}
      </Button>
      <a
        className="talk"
        href={talkUrl(id)}
        target="_blank"
        rel="noopener noreferrer"
        title={say('openTalk')}
        aria-label={say('openTalk')}
      >
        <Icon name="out" />
        <span>{say('openTalk')}</span>
      </a>
    </header>
  );
}

/** How long the customer has waited, and how long there is until that is late. Its place stays where nobody waits. */
function Due({ chat: { kind, open, waitingSince, sector } }: { chat: Chat }) {
  const say = useWords();
  const now = useNow();
  const limits = useLimits().of(sector?.id);
  if (kind !== 'direct' || !open) return null;
  if (waitingSince === null) return <p className="due" />;
  const wait = now - Date.parse(waitingSince);
  const { lateMs } = limits;
  return (
    <p className="due wait" data-urgency={urgencyOf(wait, limits)}>
      <strong>{say('waitingFor', { age: clock(wait) })}</strong>
      {lateMs !== null && (
        <span>
          {wait < lateMs
            ? say('dueIn', { age: clock(lateMs - wait) })
            : say('overdueBy', { age: clock(wait - lateMs) })}
        </span>
      )}
    </p>
  );
}
