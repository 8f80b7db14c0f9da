import { Skeleton } from '@mantine/core';

import { duration, hourName, number, percent, shortDay } from '../words/format.ts';
import { weekday } from '../words/weekday.ts';
import { useWords, type Say } from '../words/words.ts';
import { beforeIn, isOneDay } from './before.ts';
import { changeOfMedian } from './compare.ts';
import type { Answer, Query, Row } from './metrics.ts';
import type { Span } from './period.ts';
import { worstHourQuery } from './question.ts';
import { type Asked, useAnswer } from './useAnswer.ts';
import type { Report } from './useReport.ts';

/** The worst hour is told from so many values on: one slow answer at night is no pattern. */
const WORST_MIN = 5;

interface StoryProps {
  report: Report;
  query: Query & Span;
  /** How the question of the numbers stands. */
  asked: Pick<Asked<Answer>, 'answer' | 'busy' | 'isCurrent'>;
  rows: Row[];
}

/**
 * What the numbers come to, in one sentence: how many, how fast beside before, and when it was worst. That comes with an answer
 * of its own, and is said once it is here, if both are to the same question.
 */
export function Story({ report, query, asked, rows }: StoryProps) {
  const say = useWords();
  const { period, since, till, compare, zone } = report;
  const hours = useAnswer<Answer>(report, { path: '/heatmap', query: worstHourQuery(query), isFirst: true });
  if (asked.answer === null && !asked.busy) return null;
  if (asked.answer === null || (asked.busy && !asked.isCurrent))
    return (
      <div className="story" aria-busy="true">
        <Skeleton className="story-bone" />
      </div>
    );
  const of = (metric: string) => rows.find((row) => row.metric === metric);
  const [created, first] = [of('created'), of('firstResponse')];
  const when =
    period === 'custom' ? say('storyDays', { since: shortDay(since), till: shortDay(till) }) : say(`period_${period}`);
  const parts = [
    say('storyCount', { when, count: number(created?.n ?? 0) }),
    ...(first === undefined || first.n === 0
      ? [say('storyNoResponse')]
      : [speed(say, first, compare ? beforeIn(say, 'story', query, zone) : null)]),
  ];
  const worst = asked.isCurrent && hours.isCurrent ? worstOf(hours.answer?.rows ?? []) : null;
  if (worst !== null)
    parts.push(
      say('storyWorst', {
        place: [...(isOneDay(query) ? [] : [weekday((worst.weekday ?? 1) - 1)]), hourName(worst.hour ?? 0)].join(', '),
        value: duration(worst.medianMs),
      }),
    );
  return <p className="story">{parts.join('; ')}.</p>;
}

function speed(say: Say, { medianMs, n, previousMedianMs, previousN = 0 }: Row, before: string | null): string {
  const median = say('storyMedian', { median: duration(medianMs) });
  if (before === null) return median;
  const change = changeOfMedian({ medianMs, n }, { medianMs: previousMedianMs, n: previousN });
  if (change.kind === 'same') return `${median}, ${say('storySame')} ${before}`;
  if (change.kind !== 'moved') return median;
  const moved = say(change.isMore ? 'storySlower' : 'storyFaster', { percent: percent(change.share, 1) });
  return `${median}, ${moved} ${before}`;
}

function worstOf(rows: Row[]): Row | null {
  return rows
    .filter(({ metric, n, medianMs }) => metric === 'firstResponse' && n >= WORST_MIN && medianMs !== null)
    .reduce<Row | null>((worst, row) => ((row.medianMs ?? 0) > (worst?.medianMs ?? 0) ? row : worst), null);
}
