import { Button, Skeleton } from '@mantine/core';
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import { Conversation, type ConversationState } from '../hub/conversation.ts';
import { hub, replays, useData, useHub } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Icon } from '../parts/icons.tsx';
import { Failure } from '../parts/Notice.tsx';
import { agentName, fullMoment, talkUrl } from '../words/format.ts';
import { contactTitle } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { ContactPanel } from './ContactPanel.tsx';
import { History } from './History.tsx';
import { MessageItem } from './MessageItem.tsx';

/** Whoever is this near to the end follows it. */
const NEAR_PX = 80;

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

/** One chat, read as it grows. */
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
  const { chat, contact, failure, gone } = state;
  return (
    <section className="conversation" aria-label={say('conversation')}>
      <Head id={id} state={state} />
      <Others id={id} />
      {failure !== null && <Failure reason={failure} again={() => void conversation.load()} />}
      {gone && (
        <p className="blank" role="status">
          {say('gone')}
        </p>
      )}
      {!gone && <Messages state={state} older={() => void conversation.older()} wanted={wanted} />}
      {chat?.open === false && (
        <p className="closed quiet">
          {say('closedChat')} {chat.closedAt && fullMoment(chat.closedAt)}
        </p>
      )}
      {chat && <History id={id} />}
      {chat && <ContactPanel chat={chat} contact={contact} />}
    </section>
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
  const { chat, contact, failure, unknown, gone } = state;
  return (
    <section className="conversation" aria-label={say('conversation')}>
      <Head id={id} state={state} />
      {failure !== null && <Failure reason={failure} again={() => void conversation.load()} />}
      {unknown || gone ? (
        <p className="blank" role="status">
          {say('notKnownThen')}
        </p>
      ) : (
        <Messages state={state} older={() => void conversation.older()} wanted={null} />
      )}
      {chat?.open === false && (
        <p className="closed quiet">
          {say('closedThen')} {chat.closedAt && fullMoment(chat.closedAt)}
        </p>
      )}
      {chat && !isPlayed && <History id={id} until={at} />}
      {chat && <ContactPanel chat={chat} contact={contact} isPast />}
    </section>
  );
}

function Head({ id, state: { chat, contact } }: { id: string; state: ConversationState }) {
  const say = useWords();
  const [params] = useSearchParams();
  const title = useRef<HTMLHeadingElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another chat has another title
  useEffect(() => title.current?.focus({ preventScroll: true }), [id]);
  return (
    <header>
      <Link className="back" to={{ pathname: '/chats', search: params.toString() }} aria-label={say('back')}>
        <Icon name="back" />
      </Link>
      <Avatar name={chat?.contactName ?? null} picture={contact?.pictureUrl ?? null} />
      <div className="main">
        <h2 ref={title} tabIndex={-1}>
          {chat === null ? say('conversation') : contactTitle(say, chat)}
        </h2>
        <p className="quiet">
          {chat &&
            [
              say(`s_one_${chat.status}`),
              chat.sector?.name ?? chat.sector?.id,
              agentName(say, chat.owner),
              chat.channel?.name,
            ]
              .filter(Boolean)
              .join(' · ')}
        </p>
      </div>
      <a className="talk" href={talkUrl(id)} target="_blank" rel="noopener noreferrer" aria-label={say('openTalk')}>
        <Icon name="out" />
        <span>{say('openTalk')}</span>
      </a>
    </header>
  );
}

/** Colleagues whose screens show this chat too. */
function Others({ id }: { id: string }) {
  const say = useWords();
  const { client } = useHub();
  const { presence } = useData();
  const others = presence.filter(
    (one) => one.tabs > 0 && one.chats.includes(id) && one.id !== (client.user?.id ?? 'anonymous'),
  );
  return (
    <p className="others" role="status" hidden={others.length === 0}>
      {others.length > 0 && say('alsoHere', { names: others.map(({ name, id: user }) => name ?? user).join(', ') })}
    </p>
  );
}

function Messages({
  state: { messages, hasOlder, loadingOlder, failure },
  older,
  wanted,
}: {
  state: ConversationState;
  older: () => void;
  wanted: string | null;
}) {
  const say = useWords();
  const box = useRef<HTMLDivElement>(null);
  const atEnd = useRef(true);
  const first = useRef<{ id: string | undefined; height: number }>({ id: undefined, height: 0 });
  const last = messages?.at(-1)?.id;
  const [seen, setSeen] = useState<string | undefined>(undefined);

  // Whoever reads further up stays there: when newer ones come, and when older ones are put above.
  useLayoutEffect(() => {
    const { current } = box;
    if (!current) return;
    const oldest = messages?.[0]?.id;
    if (atEnd.current) {
      current.scrollTop = current.scrollHeight;
      setSeen(last);
    } else if (oldest !== first.current.id) current.scrollTop += current.scrollHeight - first.current.height;
    first.current = { id: oldest, height: current.scrollHeight };
  }, [messages, last]);

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

  function toEnd() {
    box.current?.scrollTo({ top: box.current.scrollHeight });
  }

  const byId = new Map(messages?.map((message) => [message.id, message]));
  return (
    <div className="messages">
      <div
        className="scroll"
        ref={box}
        onScroll={scrolled}
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
        <ol>
          {messages?.map((message) => (
            <MessageItem
              key={message.id}
              message={message}
              isWanted={message.id === wanted}
              quoted={message.replyTo === null ? null : (byId.get(message.replyTo.id) ?? 'away')}
            />
          ))}
        </ol>
      </div>
      {seen !== undefined && last !== seen && (
        <Button className="to-end" size="compact-sm" onClick={toEnd}>
          {say('newBelow')} ↓
        </Button>
      )}
    </div>
  );
}
