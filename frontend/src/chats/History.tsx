import { Button, Skeleton } from '@mantine/core';
import type { Named } from 'umbler-hub-client';

import { Missing } from '../parts/Missing.tsx';
import { Failure } from '../parts/Notice.tsx';
import type { Word } from '../words/en.ts';
import { agentName, fullMoment, moment } from '../words/format.ts';
import { useWords, type Say } from '../words/words.ts';
import type { Step, Timeline } from './useTimeline.ts';

/** Who had the chat, in which sectors it was, what it was tagged with, the latest first. */
export function History({ timeline, isPast = false }: { timeline: Timeline; isPast?: boolean }) {
  const say = useWords();
  const { steps, hasMore, failure, missing, more, again } = timeline;
  return (
    <details className="about history">
      <summary>{say('history')}</summary>
      {missing ? (
        <Missing />
      ) : (
        <div className="steps">
          {failure !== null && <Failure reason={failure} again={again} />}
          {steps === null && failure === null && <Skeleton height={60} />}
          {steps?.length === 0 && <p className="blank">{say(isPast ? 'nothingThen' : 'noHistory')}</p>}
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
          {hasMore && steps !== null && (
            <Button size="compact-sm" variant="default" onClick={more}>
              {say('more')}
            </Button>
          )}
        </div>
      )}
    </details>
  );
}

/** The same, as a thin line among the messages. */
export function EventLine({ step }: { step: Step }) {
  const say = useWords();
  return (
    <li className="event quiet" data-type={step.type}>
      <span>{wordsOf(say, step)}</span>
      <time dateTime={step.at} title={fullMoment(step.at)}>
        {moment(step.at)}
      </time>
    </li>
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

function wordsOf(say: Say, { type, from, to, tags }: Step): string {
  const isAgent = type === 'transferred';
  const who = (named: Named | null) =>
    isAgent ? agentName(say, named) : (named?.name ?? named?.id ?? say('noSector'));
  const values = { from: who(from), to: who(to), tags: tags.map(({ id, name }) => name ?? id).join(', ') };
  return KNOWN.has(type) ? say(`h_${type}` as Word, values) : type;
}
