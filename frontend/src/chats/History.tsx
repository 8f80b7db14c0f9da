import { Button, Skeleton } from '@mantine/core';
import { useCallback, useEffect, useRef, useState } from 'react';
import type { Named } from 'umbler-hub-client';

import { isMissing, reasonOf } from '../hub/errors.ts';
import { hub } from '../hub/hub.tsx';
import { Missing } from '../parts/Missing.tsx';
import { Failure } from '../parts/Notice.tsx';
import { agentName, fullMoment } from '../words/format.ts';
import { useWords, type Say } from '../words/words.ts';
import type { Word } from '../words/en.ts';

interface Transition {
  at: string;
  eventId: string;
  type: string;
  from: Named | null;
  to: Named | null;
  tags: Named[];
}

const PAGE = 50;

/** Who had the chat, in which sectors it was, what it was tagged with. Read only when somebody wants to know. */
export function History({ id, until }: { id: string; until?: string }) {
  const say = useWords();
  const [open, setOpen] = useState(false);
  return (
    <details className="about history" onToggle={(event) => setOpen(event.currentTarget.open)}>
      <summary>{say('history')}</summary>
      {open && <Steps id={id} until={until} />}
    </details>
  );
}

/** Up to a moment, where one is given: what came after it is left out. */
function Steps({ id, until }: { id: string; until: string | undefined }) {
  const say = useWords();
  const [steps, setSteps] = useState<Transition[] | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [missing, setMissing] = useState(false);
  const cursor = useRef<string | null>(null);
  const asked = useRef(0);
  const read = useCallback(
    async (further: boolean) => {
      const round = ++asked.current;
      try {
        let from = further ? cursor.current : null;
        let found: Transition[] = [];
        do {
          const page: { timeline: Transition[]; nextCursor: string | null } = await hub.get(
            `/api/umbler/chats/${encodeURIComponent(id)}/timeline`,
            { limit: PAGE, cursor: from ?? undefined },
          );
          if (round !== asked.current) return;
          from = page.nextCursor;
          found =
            until === undefined ? page.timeline : page.timeline.filter(({ at }) => Date.parse(at) <= Date.parse(until));
          // The latest come first: pages of later ones alone are passed over.
        } while (found.length === 0 && from !== null);
        cursor.current = from;
        setSteps((before) => [...(further ? (before ?? []) : []), ...found]);
        setFailure(null);
      } catch (error) {
        if (round !== asked.current) return;
        if (isMissing(error)) setMissing(true);
        else setFailure(reasonOf(error));
      }
    },
    [id, until],
  );
  useEffect(() => {
    void read(false);
    if (until !== undefined) return;
    return hub.on('umbler_update', ({ chat, changes = [] }) => {
      if (chat?.id === id && changes.some((change) => change.startsWith('chat_'))) void read(false);
    });
  }, [id, until, read]);
  if (missing) return <Missing />;
  return (
    <div className="steps">
      {failure !== null && <Failure reason={failure} again={() => void read(false)} />}
      {steps === null && failure === null && <Skeleton height={60} />}
      {steps?.length === 0 && <p className="blank">{say(until === undefined ? 'noHistory' : 'nothingThen')}</p>}
      <ol>
        {steps?.map((step, index) => (
          <li key={`${step.eventId} ${step.type} ${index}`} data-type={step.type}>
            <span>{wordsOf(say, step)}</span>
            <time className="quiet small" dateTime={step.at}>
              {fullMoment(step.at)}
            </time>
          </li>
        ))}
      </ol>
      {cursor.current !== null && steps !== null && (
        <Button size="compact-sm" variant="default" onClick={() => void read(true)}>
          {say('more')}
        </Button>
      )}
    </div>
  );
}

const KNOWN = new Set([
  'opened',
  'reopened',
  'sector_changed',
  'transferred',
  'tags_added',
  'tags_removed',
  'made_private',
  'made_public',
  'bot_started',
  'bot_stopped',
  'waiting_started',
  'waiting_ended',
  'closed',
  'entered',
  'gone',
]);

function wordsOf(say: Say, { type, from, to, tags }: Transition): string {
  const isAgent = type === 'transferred';
  const who = (named: Named | null) =>
    isAgent ? agentName(say, named) : (named?.name ?? named?.id ?? say('noSector'));
  const values = { from: who(from), to: who(to), tags: tags.map(({ id, name }) => name ?? id).join(', ') };
  return KNOWN.has(type) ? say(`h_${type}` as Word, values) : type;
}
