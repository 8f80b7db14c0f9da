import { useMemo } from 'react';
import type { Chat } from 'umbler-hub-client';
import { useParams, useSearchParams } from 'react-router';

import { useMoment } from '../app/moment.ts';
import { usePlayed } from '../app/played.ts';
import { MomentContext } from '../hub/clock.ts';
import { openChats } from '../hub/hub.tsx';
import type { Playing } from '../hub/replays.ts';
import { useStore } from '../hub/store.ts';
import { LabelProvider, useChatLabels } from '../live/labels.ts';
import { Icon } from '../parts/icons.tsx';
import { holds } from '../words/fold.ts';
import { fullMoment } from '../words/format.ts';
import { phoneHolds } from '../words/phone-forms.ts';
import { useWords } from '../words/words.ts';
import { ChatList } from './ChatList.tsx';
import { ConversationView, PastConversation } from './ConversationView.tsx';
import { FilterBar } from './FilterBar.tsx';
import { MessageFinds } from './MessageFinds.tsx';
import { byActivity, filtersOf, isLocal, matches, ofTheHub } from './filters.ts';
import { usePastRows, useRows } from './useRows.ts';

const NO_CHATS: Chat[] = [];

/** The chats on the left, the one in view on the right; on a phone one or the other. Now, or as they were. */
export default function ChatsPage() {
  const { iso } = useMoment();
  const played = usePlayed();
  if (iso === undefined) return <Now />;
  return played === null ? <Past at={iso} /> : <Played played={played} />;
}

function useShown(isPast = false) {
  const { id } = useParams();
  const [params] = useSearchParams();
  const filters = useMemo(() => (isPast ? ofTheHub(filtersOf(params)) : filtersOf(params)), [params, isPast]);
  return {
    id,
    filters,
    message: params.get('message'),
    inMessages: params.get('in') === 'messages' && filters.search !== '',
  };
}

function Now() {
  const say = useWords();
  const { id, filters, message, inMessages } = useShown();
  const rows = useRows(filters);
  const { chats: open } = useStore(openChats);
  const listed = isLocal(filters) ? null : rows.chats;
  const labels = useChatLabels(useMemo(() => (listed === null ? open : [...open, ...listed]), [open, listed]));
  return (
    <LabelProvider value={labels}>
      <div className="page chats" data-reading={id !== undefined || undefined}>
        <h1 className="hidden">{say('chats')}</h1>
        <section className="list" aria-label={say('chatList')}>
          <FilterBar filters={filters} chats={rows.chats} inMessages={inMessages} />
          {inMessages ? (
            <MessageFinds key={filters.search} q={filters.search} chosen={message} />
          ) : (
            <ChatList rows={rows} filters={filters} chosen={id} />
          )}
        </section>
        {id === undefined ? (
          <Choose isEmpty={!inMessages && rows.chats?.length === 0} />
        ) : (
          <ConversationView key={id} id={id} wanted={message} />
        )}
      </div>
    </LabelProvider>
  );
}

/** Messages are searched as they are now, so that search is not offered here. */
function Past({ at }: { at: string }) {
  const say = useWords();
  const { id, filters } = useShown(true);
  const rows = usePastRows(filters, at);
  const labels = useChatLabels(rows.chats ?? NO_CHATS);
  return (
    <MomentContext value={Date.parse(at)}>
      <LabelProvider value={labels}>
        <div className="page chats past" data-reading={id !== undefined || undefined}>
          <h1 className="hidden">
            {say('chats')}, {say('asItWas', { at: fullMoment(at) })}
          </h1>
          <section className="list" aria-label={say('chatList')}>
            <FilterBar filters={filters} chats={rows.chats} inMessages={false} isPast />
            <ChatList key={at} rows={rows} filters={filters} chosen={id} isPast />
          </section>
          {id === undefined ? (
            <Choose isEmpty={rows.chats?.length === 0} />
          ) : (
            <PastConversation key={`${id} ${at}`} id={id} at={at} />
          )}
        </div>
      </LabelProvider>
    </MomentContext>
  );
}

/** As they are played. Only open chats are known. */
function Played({ played }: { played: Playing }) {
  const say = useWords();
  const { id, filters } = useShown(true);
  const { chats, phase, at } = played;
  const reading = phase === 'reading';
  const shown = useMemo(
    () =>
      reading ? null : chats.filter((chat) => matches(chat, filters) && found(chat, filters.search)).sort(byActivity),
    [reading, chats, filters],
  );
  // The conversation begins where the replay is as it is opened, and grows from there.
  // biome-ignore lint/correctness/useExhaustiveDependencies: `at` moves on as it plays
  const opened = useMemo(() => new Date(at).toISOString(), [id, reading]);
  const labels = useChatLabels(chats);
  return (
    <MomentContext value={at}>
      <LabelProvider value={labels}>
        <div className="page chats past" data-reading={id !== undefined || undefined}>
          <h1 className="hidden">
            {say('chats')}, {say('pastWord')}
          </h1>
          <section className="list" aria-label={say('chatList')}>
            <FilterBar filters={filters} chats={chats} inMessages={false} isPast />
            {(filters.status === 'closed' || filters.status === 'all') && (
              <p className="notice quiet" role="status">
                {say('playedOpen')}
              </p>
            )}
            <ChatList
              rows={{ chats: shown, total: shown?.length ?? null, failure: null, more: null, again: null }}
              filters={filters}
              chosen={id}
              isPast
            />
          </section>
          {id === undefined || reading ? (
            <Choose isReading={reading} isEmpty={shown?.length === 0} />
          ) : (
            <PastConversation key={id} id={id} at={opened} isPlayed />
          )}
        </div>
      </LabelProvider>
    </MomentContext>
  );
}

/** By name or phone, as the hub finds them. */
function found({ contactName, contactPhone }: Chat, search: string): boolean {
  return holds(contactName ?? '', search) || phoneHolds(contactPhone, search);
}

/** Nothing is open yet. Where the list has nothing to choose, it says why, and this says nothing. */
function Choose({ isReading = false, isEmpty = false }: { isReading?: boolean; isEmpty?: boolean }) {
  const say = useWords();
  return (
    <div className="conversation blank">
      <Icon name="chats" />
      {!isEmpty && <p>{say(isReading ? 'loading' : 'choose')}</p>}
      {!isReading && !isEmpty && (
        <p className="small">
          <kbd>j</kbd> <kbd>k</kbd> <kbd>Enter</kbd>
        </p>
      )}
    </div>
  );
}
