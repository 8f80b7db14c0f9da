import { Skeleton } from '@mantine/core';

import { duration, number, percent, shortDay } from '../words/format.ts';
import { weekday } from '../words/weekday.ts';
import { useWords, type Say } from '../words/words.ts';
import { changeOfMedian, weeksBefore } from './compare.ts';
import { useAnswer, type Answer, type Query, type Row } from './metrics.ts';
import type { Span } from './period.ts';
import { worstHourQuery } from './question.ts';
import type { Report } from './useReport.ts';

/** The worst hour is told from so many values on: one slow answer at night is no pattern. */
const WORST_MIN = 5;
/** The longest day has an hour more. */
const DAY_MS = 25 * 3_600_000;

interface StoryProps {
  report: Report;
  query: Query & Span;
  /** Null: not known yet. */
  rows: Row[] | null;
  compare: boolean;
}

/** What the numbers come to, in one sentence: how many, how fast beside before, and when it was worst. */
export function Story({ report: { period, since, till, round }, query, rows, compare }: StoryProps) {
  const say = useWords();
  const { answer, busy } = useAnswer<Answer>('/heatmap', worstHourQuery(query), round);
  if (rows === null || (answer === null && busy))
    return (
      <div className="story" aria-busy="true">
        <Skeleton className="story-bone" />
      </div>
    );
  const of = (metric: string) => rows.find((row) => row.metric === metric);
  const [created, first] = [of('created'), of('firstResponse')];
  const when =
    period === 'custom' ? say('storyDays', { since: shortDay(since), till: shortDay(till) }) : say(`period_${period}`);
  const isOneDay = Date.parse(query.until) - Date.parse(query.from) <= DAY_MS;
  const parts = [
    say('storyCount', { when, count: number(created?.n ?? 0) }),
    ...(first === undefined || first.n === 0
      ? [say('storyNoResponse')]
      : [speed(say, first, compare ? weeksBefore(query) : null)]),
  ];
  const worst = worstOf(answer?.rows ?? []);
  if (worst !== null)
    parts.push(
      say('storyWorst', {
        place: isOneDay ? `${worst.hour ?? 0}h` : `${weekday((worst.weekday ?? 1) - 1)}, ${worst.hour ?? 0}h`,
        value: duration(worst.medianMs),
      }),
    );
  return <p className="story">{parts.join('; ')}.</p>;
}

function speed(say: Say, { medianMs, n, previousMedianMs, previousN = 0 }: Row, weeks: number | null): string {
  const median = say('storyMedian', { median: duration(medianMs) });
  if (weeks === null) return median;
  const change = changeOfMedian({ medianMs, n }, { medianMs: previousMedianMs, n: previousN });
  const before = weeks === 1 ? say('storyWeek') : say('storyWeeks', { weeks });
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
