import { Fragment, type ReactNode } from 'react';
import type { Chat, Contact, Named } from 'umbler-hub-client';

import { calledOf } from '../hub/given-names.ts';
import { givenNames } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { useChannelName, useSectorName } from '../live/labels.ts';
import { agentName, agentTitle, dayAndTime, fullMoment } from '../words/format.ts';
import { phoneNumber } from '../words/phone.ts';
import { useWords } from '../words/words.ts';

/** Who it is, and where the chat stands. */
export function ContactPanel({
  chat,
  contact,
  isPast = false,
}: {
  chat: Chat;
  contact: Contact | null;
  isPast?: boolean;
}) {
  const say = useWords();
  const [sectorName, channelName] = [useSectorName(), useChannelName()];
  const given = useStore(givenNames);
  const rows: [string, ReactNode][] = [
    [say('phone'), contact?.phone && phoneNumber(contact.phone)],
    [say('contactTags'), contact && contact.tags.length > 0 && <Tags tags={contact.tags} />],
    [
      say('tags'),
      chat.tags.length > 0 && <Tags tags={chat.tags.map((tag) => ({ ...tag, name: calledOf(given, 'tag', tag) }))} />,
    ],
    [say('sector'), chat.sector && sectorName(chat.sector)],
    [say('agent'), <Agent key={chat.owner?.id} agent={chat.owner} />],
    [say('members'), chat.members.length > 1 && <Members members={chat.members} />],
    [say('channel'), chat.channel && (channelName(chat.channel) ?? chat.channel.id)],
    [say('kind'), say(`k_${chat.kind}`)],
    [say('since'), chat.createdAt && <Moment at={chat.createdAt} />],
    [say('lastActivity'), chat.lastActivityAt && <Moment at={chat.lastActivityAt} />],
    [say('closedAt'), chat.closedAt && <Moment at={chat.closedAt} />],
  ];
  return (
    <section className="about">
      <h3>
        {say('about')}
        {chat.private && <em className="chip">{say('private')}</em>}
        {contact?.blocked && (
          <em className="chip" data-urgency="late">
            {say('blocked')}
          </em>
        )}
      </h3>
      {isPast && <p className="quiet today">{say('contactToday')}</p>}
      <dl>
        {rows.map(
          ([name, value]) =>
            value && (
              <div key={name}>
                <dt>{name}</dt>
                <dd>{value}</dd>
              </div>
            ),
        )}
      </dl>
    </section>
  );
}

function Moment({ at }: { at: string }) {
  const say = useWords();
  return (
    <time dateTime={at} title={fullMoment(at)}>
      {dayAndTime(say, at)}
    </time>
  );
}

function Tags({ tags }: { tags: Named[] }) {
  return (
    <>
      {tags.map(({ id, name }) => (
        <em key={id} className="chip">
          {name ?? id}
        </em>
      ))}
    </>
  );
}

function Agent({ agent }: { agent: Named | null }) {
  const say = useWords();
  return <span title={agentTitle(say, agent)}>{agentName(say, agent)}</span>;
}

function Members({ members }: { members: Named[] }) {
  return members.map((member, at) => (
    <Fragment key={member.id}>
      {at > 0 && ', '}
      <Agent agent={member} />
    </Fragment>
  ));
}
