import { Button, Skeleton } from '@mantine/core';
import { useState } from 'react';

import { AboutThis } from '../parts/AboutThis.tsx';
import { Figure } from '../parts/Figure.tsx';
import { duration, number, stretch } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { Change } from './Change.tsx';
import { COUNTS, DURATIONS, type Answer, type Cell, type Metric, type Row } from './metrics.ts';
import type { Span } from './period.ts';
import type { Series } from './series.ts';
import { Spark } from './Spark.tsx';
import type { Asked } from './useAnswer.ts';

const FIGURES = ['meanMs', 'p75Ms', 'p90Ms', 'p95Ms', 'maxMs'] as const;
const MARKS = ['medianMs', 'p75Ms', 'p90Ms', 'p95Ms'] as const;

interface SummaryProps {
  asked: Pick<Asked<Answer>, 'answer' | 'busy'>;
  /** What it is compared with, also before that is known. */
  earlier: Span | null;
  explain: (cell: Cell) => void;
  zone: string;
  series: Map<Metric, Series>;
}

/** The medians first, for a mean hides the usual behind the unusual; the rest on demand. */
export function Summary({ asked: { answer, busy }, earlier, explain, zone, series }: SummaryProps) {
  const say = useWords();
  const [all, setAll] = useState(false);
  if (answer === null && !busy) return null;
  // Everything has its place before the first figure comes.
  const rows = new Map(answer?.rows.map((row) => [row.metric, row]));
  const open = (metric: Metric) => explain({ metric, query: {} });
  const before = earlier !== null;
  return (
    <>
      <section className="card" aria-labelledby="durations-title" aria-busy={busy}>
        <header className="durations-head">
          <h2 id="durations-title">{say('durations')}</h2>
          <span className="head-tools">
            <AboutThis of={say('durations')}>
              {DURATIONS.map((metric) => (
                <span key={metric} className="rule">
                  <strong>{say(`m_${metric}`)}</strong> {say(`d_${metric}`)}
                </span>
              ))}
            </AboutThis>
            <Button size="compact-sm" variant="subtle" aria-expanded={all} onClick={() => setAll(!all)}>
              {say(all ? 'fewerFigures' : 'allFigures')}
            </Button>
          </span>
        </header>
        {before && <p className="quiet">{say('before', { stretch: stretch(earlier.from, earlier.until, zone) })}</p>}
        <div className="wide" tabIndex={0} role="group" aria-labelledby="durations-title">
          <table className="durations">
            <thead>
              <tr>
                <th scope="col">{say('metric')}</th>
                <th scope="col" className="median">
                  {say('median')}
                </th>
                {before && (
                  <th scope="col" className="changed">
                    {say('change')}
                  </th>
                )}
                <th scope="col" className="course">
                  {say('course')}
                </th>
                <th scope="col" className="often">
                  {say('howOften')}
                </th>
                {all &&
                  FIGURES.map((figure) => (
                    <th key={figure} scope="col">
                      {say(figure)}
                    </th>
                  ))}
                {all && <th scope="col">{say('spread')}</th>}
              </tr>
            </thead>
            <tbody>
              {DURATIONS.map((metric) => {
                const row = rows.get(metric);
                return (
                  <tr key={metric} data-metric={metric}>
                    <th scope="row" title={say(`d_${metric}`)}>
                      {say(`m_${metric}`)}
                    </th>
                    <td className="big">
                      {row && row.n > 0 ? (
                        <button
                          type="button"
                          className="number"
                          onClick={() => open(metric)}
                          aria-label={`${say(`m_${metric}`)}: ${duration(row.medianMs)}. ${say('seeChats')}`}
                        >
                          {duration(row.medianMs)}
                        </button>
                      ) : answer === null ? (
                        <Skeleton className="figure-bone" />
                      ) : (
                        '–'
                      )}
                    </td>
                    {before && (
                      <td>
                        <Change row={row} of="median" show={duration} />
                      </td>
                    )}
                    <td>
                      <Spark series={series.get(metric)} />
                    </td>
                    <td>{answer !== null && number(row?.n ?? 0)}</td>
                    {all && FIGURES.map((figure) => <td key={figure}>{duration(row?.[figure] ?? null)}</td>)}
                    {all && <td>{row && <Spread row={row} />}</td>}
                  </tr>
                );
              })}
            </tbody>
          </table>
        </div>
      </section>
      <section aria-label={say('counts')} aria-busy={busy}>
        <dl className="tiles counts">
          {COUNTS.map((metric) => {
            const row = rows.get(metric);
            return (
              <div key={metric} className="tile" data-name={metric} title={say(`d_${metric}`)}>
                <dt>{say(`m_${metric}`)}</dt>
                <dd className="value">
                  {row && row.n > 0 ? (
                    <button
                      type="button"
                      className="number"
                      onClick={() => open(metric)}
                      aria-label={`${say(`m_${metric}`)}: ${number(row.n)}. ${say('seeChats')}`}
                    >
                      <Figure text={number(row.n)} />
                    </button>
                  ) : answer === null ? (
                    <Skeleton className="figure-bone" />
                  ) : (
                    <Figure text={number(row?.n ?? 0)} />
                  )}
                </dd>
                <dd className="course">
                  <Spark series={series.get(metric)} />
                </dd>
                <dd className="hint">{before && <Change row={row} of="n" show={number} />}</dd>
              </div>
            );
          })}
        </dl>
      </section>
    </>
  );
}

/** Where the values lie between nothing and the longest: half of them left of the first mark. */
function Spread({ row }: { row: Row }) {
  const most = row.maxMs ?? 0;
  if (row.n === 0 || most === 0) return null;
  const at = (ms: number | null) => `${((ms ?? 0) / most) * 100}%`;
  return (
    <span className="spread" aria-hidden="true">
      <i style={{ left: 0, width: at(row.p90Ms) }} />
      {MARKS.map((mark) => (
        <b key={mark} data-mark={mark} style={{ left: at(row[mark]) }} />
      ))}
    </span>
  );
}
