import { useMemo } from 'react';
import { useParams, useSearchParams } from 'react-router';

import { useMoment } from '../app/moment.ts';
import { MomentContext } from '../hub/clock.ts';
import { fullMoment } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { ChatList } from './ChatList.tsx';
import { ConversationView, PastConversation } from './ConversationView.tsx';
import { FilterBar } from './FilterBar.tsx';
import { MessageFinds } from './MessageFinds.tsx';
import { filtersOf } from './filters.ts';
import { usePastRows, useRows } from './useRows.ts';

/** The chats on the left, the one in view on the right; on a phone one or the other. Now, or as they were. */
export function ChatsPage() {
  const { iso } = useMoment();
  return iso === undefined ? <Now /> : <Past at={iso} />;
}

function useShown() {
  const { id } = useParams();
  const [params] = useSearchParams();
  const filters = useMemo(() => filtersOf(params), [params]);
  return { id, filters, message: params.get('message'), inMessages: params.get('in') === 'messages' && filters.search !== '' };
}

function Now() {
  const say = useWords();
  const { id, filters, message, inMessages } = useShown();
  const rows = useRows(filters);
  return (
    <div className="page chats" data-reading={id !== undefined || undefined}>
      <h1 className="hidden">{say('chats')}</h1>
      <section className="list" aria-label={say('chatList')}>
        <FilterBar filters={filters} chats={rows.chats} inMessages={inMessages} />
        {inMessages ? <MessageFinds key={filters.search} q={filters.search} chosen={message} /> : <ChatList rows={rows} filters={filters} chosen={id} />}
      </section>
      {id === undefined
        ? <p className="conversation blank">{say('choose')}</p>
        : <ConversationView key={id} id={id} wanted={message} />}
    </div>
  );
}

/** Messages are searched as they are now, so that search is not offered here. */
function Past({ at }: { at: string }) {
  const say = useWords();
  const { id, filters } = useShown();
  const rows = usePastRows(filters, at);
  return (
    <MomentContext value={Date.parse(at)}>
      <div className="page chats past" data-reading={id !== undefined || undefined}>
        <h1 className="hidden">{say('chats')}, {say('asItWas', { at: fullMoment(at) })}</h1>
        <section className="list" aria-label={say('chatList')}>
          <FilterBar filters={filters} chats={rows.chats} inMessages={false} isPast />
          <ChatList key={at} rows={rows} filters={filters} chosen={id} isPast />
        </section>
        {id === undefined
          ? <p className="conversation blank">{say('choose')}</p>
          : <PastConversation key={`${id} ${at}`} id={id} at={at} />}
      </div>
    </MomentContext>
  );
}
