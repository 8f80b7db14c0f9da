/** How each metric ran over the period, and over the stretch that it is compared with: what sparklines draw. */

import { useMemo } from 'react';

import { isDuration, type Answer, type Metric, type Query, type Row } from './metrics.ts';
import { useAnswer } from './useAnswer.ts';
import type { Report } from './useReport.ts';

/** One figure for each bucket of time; null: nothing was measured in it. */
export interface Series {
  now: (number | null)[];
  before: (number | null)[];
}

/** With fewer there is no line, only points. */
const BUCKETS_MIN = 3;

/** Every metric at once, in one question. */
export function useSeries(report: Report, query: Query | null): Map<Metric, Series> {
  const { bucket, earlier } = report;
  const { answer, previous, isCurrent } = useAnswer<Answer>(report, {
    path: '/series',
    query: query && { ...query, bucket },
    earlier: query && earlier && { ...earlier, bucket },
  });
  return useMemo(() => {
    const all = new Map<Metric, Series>();
    // A line of another choice beside the number of this one would look like its course.
    if (!isCurrent) return all;
    const of = (metric: Metric) => {
      const known = all.get(metric) ?? { now: [], before: [] };
      all.set(metric, known);
      return known;
    };
    for (const row of answer?.rows ?? []) of(row.metric).now.push(figureOf(row));
    for (const row of previous?.rows ?? []) of(row.metric).before.push(figureOf(row));
    for (const [metric, { now }] of all) if (now.length < BUCKETS_MIN) all.delete(metric);
    return all;
  }, [answer, previous, isCurrent]);
}

/** A duration is measured where there was something to measure; nothing counted is a count of zero. */
function figureOf(row: Row): number | null {
  return isDuration(row.metric) ? row.medianMs : row.n;
}
