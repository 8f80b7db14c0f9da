import { NativeSelect, Skeleton } from '@mantine/core';

import { Failure } from '../parts/Notice.tsx';
import { duration, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import {
  COUNTS,
  DURATIONS,
  isDuration,
  metricIn,
  type Answer,
  type Cell,
  type Metric,
  type Query,
  type Row,
} from './metrics.ts';
import { beforeKey } from './before.ts';
import { bucketLabel } from './labels.ts';
import { withEarlier } from './compare.ts';
import { Lines, place, POINTS_MAX } from './Lines.tsx';
import type { Span } from './period.ts';
import { rove } from './rove.ts';
import { useAnswer } from './useAnswer.ts';
import type { Report } from './useReport.ts';

const USUAL: Metric = 'firstResponse';

interface ChartProps {
  report: Report;
  query: Query & Span;
  explain: (cell: Cell) => void;
}

/** One metric over time as a line, over the pale band of the stretch before: medians of durations, or how many. */
export function SeriesChart({ report, query, explain }: ChartProps) {
  const say = useWords();
  const { bucket, earlier, zone } = report;
  const metric = metricIn(report.params.get('series'), [...DURATIONS, ...COUNTS], USUAL);
  const { answer, previous, busy, failure, again } = useAnswer<Answer>(report, {
    path: '/series',
    query: { ...query, metric, bucket },
    earlier: earlier && { ...earlier, metric, bucket },
    about: `${metric} ${bucket}`,
  });
  const compare = previous !== null;
  const ofMetric = (one: Answer | null) => one?.rows.filter((row) => row.metric === metric) ?? [];
  // Bucket by bucket in order: both stretches begin on the same weekday at the same hour.
  const rows = withEarlier(ofMetric(answer), previous && ofMetric(previous), (_, index) => String(index));
  const most = Math.max(1, ...rows.flatMap((row) => [figureOf(row) ?? 0, previousFigureOf(row) ?? 0]));
  const show = (value: number | null) => (value === null ? '–' : isDuration(metric) ? duration(value) : number(value));
  const some = rows.some(({ n }) => n > 0);
  return (
    <section className="card" aria-labelledby="series-title" aria-busy={busy}>
      <header>
        <h2 id="series-title">{say('overTime')}</h2>
        <MetricSelect
          label={say('overTime')}
          value={metric}
          change={(next) => report.set({ series: next === USUAL ? '' : next })}
        />
      </header>
      <p className="quiet">
        {say(isDuration(metric) ? 'seriesMedian' : 'seriesCount')}{' '}
        {compare && <span className="key">{beforeKey(say, query)}</span>}
      </p>
      {failure !== null && <Failure reason={failure} again={again} />}
      {answer === null && failure === null && <Skeleton className="series-bone" />}
      {answer !== null && !some && <p className="blank high">{say('nothingInPeriod')}</p>}
      {answer !== null && some && (
        <div className="wide" role="group" aria-labelledby="series-title" onKeyDown={rove}>
          <p className="most quiet" aria-hidden="true">
            {show(most)}
          </p>
          <ol className="series" style={{ minWidth: `${rows.length * 0.7}rem` }}>
            <Lines
              now={rows.map(figureOf)}
              before={compare ? rows.map(previousFigureOf) : []}
              most={most}
              count={rows.length}
            />
            {rows.map((row, index) => {
              const [value, previous] = [figureOf(row), previousFigureOf(row)];
              const name = `${bucketLabel(row.start ?? '', bucket, zone)}: ${show(value)}${compare ? ` (${say('was', { value: show(previous) })})` : ''}`;
              return (
                <li key={row.start}>
                  <button
                    type="button"
                    tabIndex={index === 0 ? 0 : -1}
                    data-rove={index}
                    title={name}
                    aria-label={`${name}. ${say('seeChats')}`}
                    aria-disabled={row.n === 0}
                    onClick={() =>
                      row.n > 0 &&
                      explain({
                        metric,
                        query: { from: row.start, until: row.end },
                      })
                    }
                  >
                    {value !== null && (rows.length <= POINTS_MAX || isAlone(rows, index)) && (
                      <i className="point" style={{ bottom: `${place(value, most)}%` }} />
                    )}
                  </button>
                  <span aria-hidden="true">
                    {index % Math.ceil(rows.length / 12) === 0 ? bucketLabel(row.start ?? '', bucket, zone) : ''}
                  </span>
                </li>
              );
            })}
          </ol>
        </div>
      )}
    </section>
  );
}

export function MetricSelect({
  label: name,
  value,
  change,
}: {
  label: string;
  value: Metric;
  change: (metric: Metric) => void;
}) {
  const say = useWords();
  const group = (title: string, metrics: readonly Metric[]) => ({
    group: title,
    items: metrics.map((metric) => ({ value: metric, label: say(`m_${metric}`) })),
  });
  return (
    <NativeSelect
      size="xs"
      aria-label={`${name}: ${say('metric')}`}
      value={value}
      data={[group(say('durations'), DURATIONS), group(say('counts'), COUNTS)]}
      onChange={(event) => change(event.currentTarget.value as Metric)}
    />
  );
}

function figureOf(row: Row): number | null {
  return isDuration(row.metric) ? row.medianMs : row.n;
}

function previousFigureOf(row: Row): number | null {
  return (isDuration(row.metric) ? row.previousMedianMs : row.previousN) ?? null;
}

/** No line leads to it. */
function isAlone(rows: Row[], index: number): boolean {
  return [rows[index - 1], rows[index + 1]].every((row) => row === undefined || figureOf(row) === null);
}
