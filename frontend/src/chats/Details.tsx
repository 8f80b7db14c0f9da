import { useEffect, useState } from 'react';
import { Link } from 'react-router';
import type { Chat } from 'umbler-hub-client';

import { useAddress } from '../app/moment.ts';
import type { ConversationState } from '../hub/conversation.ts';
import { hub, useData, useHub } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { useChannelName } from '../live/labels.ts';
import { moment } from '../words/format.ts';
import { lastWords } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { ContactPanel } from './ContactPanel.tsx';
import { History } from './History.tsx';
import { PersonalData } from './PersonalData.tsx';
import type { Timeline } from './useTimeline.ts';

/** Other chats of a contact that are listed; the rest is what a search is for. */
const OTHERS_MAX = 5;

interface DetailsProps {
  id: string;
  state: ConversationState;
  /** Null: what happened is not told here. */
  timeline: Timeline | null;
  isPast?: boolean;
}

/** Beside the conversation: who it is, where the chat stands, other chats of the contact, and what happened. */
export function Details({ id, state: { chat, contact }, timeline, isPast = false }: DetailsProps) {
  const say = useWords();
  const isAdmin = useRole() === 'admin';
  return (
    <aside className="details" aria-label={say('about')}>
      {chat && <ContactPanel chat={chat} contact={contact} isPast={isPast} />}
      {chat && !isPast && chat.contactId !== null && <OtherChats id={id} contactId={chat.contactId} />}
      {chat && timeline && <History timeline={timeline} isPast={isPast} />}
      {chat && !isPast && isAdmin && chat.contactId !== null && <PersonalData key={id} contactId={chat.contactId} />}
    </aside>
  );
}

/** Colleagues whose screens show this chat too. */
export function Watchers({ id }: { id: string }) {
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

function OtherChats({ id, contactId }: { id: string; contactId: string }) {
  const say = useWords();
  const address = useAddress();
  const role = useRole();
  const channelName = useChannelName();
  const [chats, setChats] = useState<Chat[]>([]);
  const [erasures, setErasures] = useState(0);
  useEffect(
    () =>
      hub.on('umbler_update', ({ erasedContactId }) => {
        if (erasedContactId === contactId) setErasures((before) => before + 1);
      }),
    [contactId],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: what was read before an erasure holds the person's words
  useEffect(() => {
    let over = false;
    setChats([]);
    hub.get(`/api/umbler/contacts/${encodeURIComponent(contactId)}/chats`, { limit: OTHERS_MAX + 1 }).then(
      (answer: { chats: Chat[] }) => !over && setChats(answer.chats),
      // A contact may be out of reach where its chat is not: then there is nothing to list.
      () => {},
    );
    return () => {
      over = true;
    };
  }, [contactId, erasures]);
  const others = chats.filter((chat) => chat.id !== id).slice(0, OTHERS_MAX);
  if (others.length === 0) return null;
  return (
    <section className="about other-chats">
      <h3>{say('otherChats')}</h3>
      <ul>
        {others.map((chat) => (
          <li key={chat.id}>
            <Link to={address(`/chats/${encodeURIComponent(chat.id)}`)}>
              <span className="main">
                <span>
                  {[say(`s_one_${chat.status}`), chat.channel && channelName(chat.channel)].filter(Boolean).join(' · ')}
                </span>
                <span className="quiet">{chat.lastMessage && lastWords(say, chat.lastMessage, role)}</span>
              </span>
              <time className="quiet small">{moment(chat.lastActivityAt)}</time>
            </Link>
          </li>
        ))}
      </ul>
    </section>
  );
}
