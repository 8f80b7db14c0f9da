import { Skeleton } from '@mantine/core';
import { useMemo } from 'react';

import { Failure } from '../parts/Notice.tsx';
import { duration, hourName, number } from '../words/format.ts';
import { weekday } from '../words/weekday.ts';
import { useWords } from '../words/words.ts';
import { hourLabel } from './labels.ts';
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
import { rove } from './rove.ts';
import { MetricSelect } from './SeriesChart.tsx';
import { useAnswer } from './useAnswer.ts';
import type { Report } from './useReport.ts';

const USUAL: Metric = 'messagesIn';
const DAYS = [1, 2, 3, 4, 5, 6, 7];
const HOURS = Array.from({ length: 24 }, (_, hour) => hour);

/** Which hour of which day is the worst. */
export function HeatMap({ report, query, explain }: { report: Report; query: Query; explain: (cell: Cell) => void }) {
  const say = useWords();
  const metric = metricIn(report.params.get('heat'), [...DURATIONS, ...COUNTS], USUAL);
  const { answer, busy, failure, again } = useAnswer<Answer>(report, {
    path: '/heatmap',
    query: { ...query, metric },
    about: metric,
  });
  const cells = useMemo(
    () =>
      new Map(answer?.rows.filter((row) => row.metric === metric).map((row) => [`${row.weekday} ${row.hour}`, row])),
    [answer, metric],
  );
  const value = (row: Row) => (isDuration(metric) ? (row.medianMs ?? 0) : row.n);
  const show = (row: Row) => (isDuration(metric) ? duration(row.medianMs) : number(row.n));
  const most = Math.max(1, ...[...cells.values()].map(value));
  const worst = [...cells.values()].reduce<Row | null>(
    (worse, row) => (worse === null || value(row) > value(worse) ? row : worse),
    null,
  );
  return (
    <section className="card" aria-labelledby="heat-title" aria-busy={busy}>
      <header>
        <h2 id="heat-title">{say('heatMap')}</h2>
        <MetricSelect
          label={say('heatMap')}
          value={metric}
          change={(next) => report.set({ heat: next === USUAL ? '' : next })}
        />
      </header>
      <p className="quiet">
        {worst === null
          ? say(isDuration(metric) ? 'seriesMedian' : 'seriesCount')
          : say('most', { place: hourLabel(worst.weekday ?? 1, worst.hour ?? 0), value: show(worst) })}
      </p>
      {cells.size > 0 && (
        <p className="scale quiet" aria-hidden="true">
          {isDuration(metric) ? duration(0) : number(0)} <i /> {worst && show(worst)}
        </p>
      )}
      {failure !== null && <Failure reason={failure} again={again} />}
      {answer === null && failure === null && <Skeleton height={220} />}
      {answer !== null && cells.size === 0 && <p className="blank high">{say('nothingInPeriod')}</p>}
      {answer !== null && cells.size > 0 && (
        <div className="wide" onKeyDown={rove} data-row={24} role="group" aria-labelledby="heat-title">
          <table className="heat">
            <thead>
              <tr>
                <th scope="col">
                  <span className="hidden">{say('weekday')}</span>
                </th>
                {HOURS.map((hour) => (
                  <th key={hour} scope="col">
                    <span className="hidden">{hourName(hour)}</span>
                    {hour % 3 === 0 && <span aria-hidden="true">{hour}</span>}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {DAYS.map((day) => (
                <tr key={day}>
                  <th scope="row">{weekday(day - 1, 'short')}</th>
                  {HOURS.map((hour) => {
                    const row = cells.get(`${day} ${hour}`);
                    const index = (day - 1) * 24 + hour;
                    const name = `${hourLabel(day, hour)}: ${row ? show(row) : number(0)}`;
                    return (
                      <td key={hour}>
                        <button
                          type="button"
                          data-rove={index}
                          tabIndex={index === 0 ? 0 : -1}
                          title={name}
                          aria-label={row ? `${name}. ${say('seeChats')}` : name}
                          aria-disabled={!row}
                          style={row ? { opacity: 0.2 + 0.8 * (value(row) / most) } : undefined}
                          data-some={row ? true : undefined}
                          data-worst={(row !== undefined && row === worst) || undefined}
                          onClick={() =>
                            row &&
                            explain({
                              metric,
                              query: { weekday: day, hour },
                            })
                          }
                        />
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
