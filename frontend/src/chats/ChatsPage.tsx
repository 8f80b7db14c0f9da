import { useMemo } from 'react';
import { useParams, useSearchParams } from 'react-router';

import { useWords } from '../words/words.ts';
import { ChatList } from './ChatList.tsx';
import { ConversationView } from './ConversationView.tsx';
import { FilterBar } from './FilterBar.tsx';
import { MessageFinds } from './MessageFinds.tsx';
import { filtersOf } from './filters.ts';
import { useRows } from './useRows.ts';

/** The chats on the left, the one in view on the right; on a phone one or the other. */
export function ChatsPage() {
  const say = useWords();
  const { id } = useParams();
  const [params] = useSearchParams();
  const filters = useMemo(() => filtersOf(params), [params]);
  const rows = useRows(filters);
  const inMessages = params.get('in') === 'messages' && filters.search !== '';
  const message = params.get('message');
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
