import { Button, Skeleton } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';
import { Link, useSearchParams } from 'react-router';

import { hub, useHub } from '../hub/hub.tsx';
import { SearchStore, type Found } from '../hub/search.ts';
import { useStore } from '../hub/store.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Missing } from '../parts/Missing.tsx';
import { Failure } from '../parts/Notice.tsx';
import { SpokenResult } from '../parts/Spoken.tsx';
import { moment, number } from '../words/format.ts';
import { contactTitle } from '../words/people.ts';
import { useWords } from '../words/words.ts';

/** Messages in which the words were found, the newest first. They lead to their place in the chat. */
export function MessageFinds({ q, chosen }: { q: string; chosen: string | null }) {
  const say = useWords();
  const { isConnected } = useHub();
  const store = useMemo(() => new SearchStore(hub, q), [q]);
  const [begun, setBegun] = useState(isConnected);
  /** How often the user asked for more. */
  const [asked, setAsked] = useState(0);
  if (isConnected && !begun) setBegun(true);
  useEffect(() => {
    if (begun) void store.more();
  }, [store, begun]);
  useEffect(() => hub.on('umbler_update', (update) => store.learn(update)), [store]);
  const { found, hasMore, busy, complete, missing, failure } = useStore(store);
  const count = found === null ? say('loading') : say(hasMore ? 'foundMore' : 'found', { count: number(found.length) });
  const shown = [failure === null && count, !complete && say('indexing')].filter(Boolean).join(' ');
  const more = () => {
    setAsked(asked + 1);
    void store.more();
  };
  if (missing) return <Missing />;
  return (
    <>
      <p className="count quiet">{shown}</p>
      <SpokenResult text={found === null || busy ? null : shown} act={asked} />
      {failure !== null && <Failure reason={failure} again={more} />}
      {found === null &&
        failure === null &&
        [1, 2, 3, 4].map((row) => <Skeleton key={row} height={52} className="bone" />)}
      {found?.length === 0 && <p className="blank">{say('noMessageFound')}</p>}
      <div className="scroll">
        <ul className="finds">
          {found?.map((one) => (
            <Find key={one.message.id} found={one} isChosen={one.message.id === chosen} />
          ))}
        </ul>
        {hasMore && (
          <Button variant="default" size="compact-sm" loading={busy} onClick={more}>
            {say('more')}
          </Button>
        )}
      </div>
    </>
  );
}

function Find({
  found: { message, contactName, contactPhone, highlight },
  isChosen,
}: {
  found: Found;
  isChosen: boolean;
}) {
  const say = useWords();
  const [params] = useSearchParams();
  const search = new URLSearchParams(params);
  search.set('message', message.id);
  return (
    <li>
      <Link
        className="find"
        to={{ pathname: `/chats/${encodeURIComponent(message.chatId)}`, search: search.toString() }}
        aria-current={isChosen || undefined}
      >
        <Avatar name={contactName} />
        <span className="main">
          <span className="name">{contactTitle(say, { contactName, contactPhone })}</span>
          <span className="snippet">
            {message.direction === 'out' && '↩ '}
            {highlight.cutBefore && '…'}
            {highlight.text.map(({ text, match }, index) => (match ? <mark key={index}>{text}</mark> : text))}
            {highlight.cutAfter && '…'}
          </span>
        </span>
        <time className="quiet small" dateTime={message.at}>
          {moment(message.at)}
        </time>
      </Link>
    </li>
  );
}
