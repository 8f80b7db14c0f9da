import { memo } from 'react';
import type { Message } from 'umbler-hub-client';

import { useRole } from '../hub/role.ts';
import { agentName, agentTitle, clockMinute, fullMoment } from '../words/format.ts';
import { contentless, lastWords } from '../words/people.ts';
import { named, useWords, type Say } from '../words/words.ts';
import { Media } from './Media.tsx';
import { isFailure } from './states.ts';

/** One message, with all that hangs on it. `quoted` is the one it answers, `away` where that is not loaded. */
export const MessageItem = memo(function MessageItem({
  message,
  quoted,
  isContinued,
  isWanted,
}: {
  message: Message;
  /** It stands right under another of the same author. */
  isContinued: boolean;
  quoted: Message | 'away' | null;
  isWanted: boolean;
}) {
  const say = useWords();
  const role = useRole();
  const { direction, source, editedAt, state, reactions, at, deleted } = message;
  const from = sender(say, message);
  return (
    <li
      className="message"
      data-direction={direction}
      data-private={message.private || undefined}
      data-source={message.source}
      data-failed={isFailure(state) || undefined}
      data-wanted={isWanted || undefined}
      data-continued={isContinued || undefined}
      tabIndex={isWanted ? -1 : undefined}
    >
      {message.private && !isContinued && <p className="note">{say('note')}</p>}
      {from && !isContinued && (
        <p
          className="from"
          title={source === 'Member' && !message.sentBy?.name ? agentTitle(say, message.author) : undefined}
        >
          {from}
        </p>
      )}
      {quoted !== null && (
        <blockquote>
          <span className="hidden">{say('quoted')}: </span>
          {quoted === 'away' ? say('quotedAway') : lastWords(say, quoted, role)}
        </blockquote>
      )}
      {deleted ? <p className="quiet">{say('deleted')}</p> : <Content message={message} />}
      {reactions.length > 0 && (
        <p className="reactions">
          <span className="hidden">{say('reactions')}: </span>
          {reactions.map(({ id, emoji }) => (
            <span key={id}>{emoji}</span>
          ))}
        </p>
      )}
      <p className="marks">
        <time dateTime={at} title={fullMoment(at)}>
          {clockMinute(at)}
        </time>
        {message.echoOf && <span>{say('echo')}</span>}
        {editedAt !== null && <span title={fullMoment(editedAt)}>{say('edited')}</span>}
        {direction === 'out' && !message.private && state !== null && (
          <span className="state" title={state}>
            {isFailure(state) ? say('Failed') : named(say, state)}
          </span>
        )}
      </p>
    </li>
  );
});

/** Whoever wrote it, where that is not plain from the side it stands on. */
function sender(say: Say, { direction, source, author, bot, sentBy }: Message): string {
  if (sentBy?.name) return sentBy.name;
  if (source === 'Bot') return bot?.name ?? say('bot');
  if (source === 'Contact') return author?.name ?? '';
  if (author) return agentName(say, author);
  if (direction === 'in' || sentBy) return '';
  return say(source === 'Member' ? 'team' : 'otherSystem');
}

function Content({ message }: { message: Message }) {
  const say = useWords();
  const role = useRole();
  const { text, type, file, location, contacts } = message;
  const nothing = text === null && file === null && location === null && contacts.length === 0;
  const isHidden = nothing && role === 'viewer';
  return (
    <>
      {file && <Media message={message} />}
      {location && <Place location={location} />}
      {contacts.map((card, index) => (
        <Card key={index} card={card as ContactCard} />
      ))}
      {text !== null && <p className="text">{text}</p>}
      {nothing && (
        <p className="quiet">
          {isHidden && (type === 'Text' || type === null)
            ? say('hidden')
            : isHidden
              ? `${named(say, type) || '–'} · ${say('hidden')}`
              : contentless(say, message)}
        </p>
      )}
    </>
  );
}

function Place({ location: { latitude, longitude, name, address } }: { location: NonNullable<Message['location']> }) {
  const say = useWords();
  const map =
    latitude === null || longitude === null
      ? null
      : `https://www.openstreetmap.org/?mlat=${latitude}&mlon=${longitude}#map=16/${latitude}/${longitude}`;
  return (
    <div className="attached">
      <strong>{name ?? say('Location')}</strong>
      {address && <span>{address}</span>}
      {map && (
        <a href={map} target="_blank" rel="noopener noreferrer">
          {say('map')}
        </a>
      )}
    </div>
  );
}

interface ContactCard {
  name?: string | null;
  company?: string | null;
  phones?: string[];
  emails?: string[];
}

function Card({ card: { name, company, phones = [], emails = [] } }: { card: ContactCard }) {
  const say = useWords();
  return (
    <div className="attached">
      <strong>{name ?? say('card')}</strong>
      {[company, ...phones, ...emails].filter(Boolean).map((line) => (
        <span key={line}>{line}</span>
      ))}
    </div>
  );
}
