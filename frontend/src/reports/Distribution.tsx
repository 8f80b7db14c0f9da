import { NativeSelect, Skeleton } from '@mantine/core';

import { Failure } from '../parts/Notice.tsx';
import { Missing } from '../parts/Missing.tsx';
import { number, percent } from '../words/format.ts';
import { useWords, type Say } from '../words/words.ts';
import { beforeKey } from './before.ts';
import { binLabel } from './labels.ts';
import { DURATIONS, metricIn, type Answer, type Cell, type Duration, type Query, type Row } from './metrics.ts';
import type { Span } from './period.ts';
import { useAnswer } from './useAnswer.ts';
import type { Report } from './useReport.ts';

/** Bounds are from `fromMs` on and below `untilMs`; null: without an end. */
interface Bin {
  metric: Duration;
  fromMs: number;
  untilMs: number | null;
  n: number;
  previousN?: number;
}

interface Bins {
  rows: Bin[];
}

const USUAL: Duration = 'firstResponse';

const MARKS = [
  ['medianMs', 'median'],
  ['p75Ms', 'p75Ms'],
  ['p90Ms', 'p90Ms'],
  ['p95Ms', 'p95Ms'],
] as const;

interface DistributionProps {
  report: Report;
  query: Query & Span;
  /** The percentiles to mark; null while they are not known, or of another question. */
  summary: Answer | null;
  explain: (cell: Cell) => void;
}

/**
 * How often each duration came, from the shortest to the longest, and where the percentiles lie among them. It is a
 * table that draws itself: who hears it hears what others see. Each number leads to its chats.
 */
export function Distribution({ report, query, summary, explain }: DistributionProps) {
  const say = useWords();
  const { earlier } = report;
  const metric = metricIn(report.params.get('spread'), DURATIONS, USUAL);
  const { answer, previous, busy, failure, missing, isCurrent, again } = useAnswer<Bins>(report, {
    path: '/distribution',
    query: { ...query, metric },
    earlier: earlier && { ...earlier, metric },
    about: metric,
  });
  const compared = previous !== null;
  const ofMetric = (one: Bins | null) => one?.rows.filter((bin) => bin.metric === metric) ?? [];
  const were = new Map(ofMetric(previous).map(({ fromMs, n }) => [fromMs, n]));
  const bins = ofMetric(answer).map((bin): Bin => (compared ? { ...bin, previousN: were.get(bin.fromMs) ?? 0 } : bin));
  const [all, before] = [total(bins, 'n'), total(bins, 'previousN')];
  const figures = isCurrent ? summary?.rows.find((row) => row.metric === metric) : undefined;
  const most = Math.max(
    ...bins.map(({ n, previousN = 0 }) => Math.max(share(n, all), compared ? share(previousN, before) : 0)),
    0.01,
  );
  return (
    <section className="card" aria-labelledby="distribution-title" aria-busy={busy}>
      <header>
        <h2 id="distribution-title">{say('distribution')}</h2>
        <NativeSelect
          size="xs"
          aria-label={`${say('distribution')}: ${say('metric')}`}
          value={metric}
          data={DURATIONS.map((one) => ({ value: one, label: say(`m_${one}`) }))}
          onChange={({ currentTarget: { value } }) => report.set({ spread: value === USUAL ? '' : value })}
        />
      </header>
      <p className="quiet">
        {say(`d_${metric}`)} {say('distributionHint')}{' '}
        {compared && <span className="key">{beforeKey(say, query)}</span>}
      </p>
      {missing && <Missing />}
      {failure !== null && <Failure reason={failure} again={again} />}
      {answer === null && failure === null && !missing && <Skeleton height={440} />}
      {answer !== null && all + before === 0 && <p className="blank high">{say('nothingInPeriod')}</p>}
      {answer !== null && all + before > 0 && (
        <table className="distribution" data-metric={metric}>
          <thead>
            <tr>
              <th scope="col">{say('lasted')}</th>
              <th scope="col">
                <span className="hidden">{say('spread')}</span>
              </th>
              <th scope="col">{say('howOften')}</th>
              <th scope="col" className="share">
                {say('share')}
              </th>
              {compared && <th scope="col">{say('beforeShort')}</th>}
            </tr>
          </thead>
          <tbody>
            {bins.map((bin) => (
              <tr key={bin.fromMs} data-from={bin.fromMs} data-empty={bin.n === 0 || undefined}>
                <th scope="row">{label(say, bin)}</th>
                <td className="length">
                  <span className="lane">
                    <span className="track" aria-hidden="true">
                      {compared && (bin.previousN ?? 0) > 0 && (
                        <i
                          className="before"
                          style={{ width: `${(share(bin.previousN ?? 0, before) / most) * 100}%` }}
                        />
                      )}
                      <i className="now" style={{ width: `${(share(bin.n, all) / most) * 100}%` }} />
                    </span>
                    {marksIn(bin, figures).map((word) => (
                      <em key={word} className="chip">
                        {say(word)}
                      </em>
                    ))}
                  </span>
                </td>
                <td>
                  {bin.n === 0 ? (
                    number(0)
                  ) : (
                    <button
                      type="button"
                      className="number"
                      aria-label={`${say(`m_${metric}`)}, ${label(say, bin)}: ${number(bin.n)}. ${say('seeChats')}`}
                      onClick={() =>
                        explain({
                          metric,
                          query: { atLeastMs: bin.fromMs, belowMs: bin.untilMs ?? undefined },
                        })
                      }
                    >
                      {number(bin.n)}
                    </button>
                  )}
                </td>
                <td className="share">{all === 0 ? '–' : percent(bin.n, all)}</td>
                {compared && <td className="quiet">{number(bin.previousN)}</td>}
              </tr>
            ))}
          </tbody>
          <tfoot>
            <tr>
              <th scope="row">{say('sum')}</th>
              <td />
              <td>{number(all)}</td>
              <td className="share" />
              {compared && <td className="quiet">{number(before)}</td>}
            </tr>
          </tfoot>
        </table>
      )}
    </section>
  );
}

/** Periods of different size are compared by shares. */
function share(n: number, all: number): number {
  return all === 0 ? 0 : n / all;
}

function total(bins: Bin[], of: 'n' | 'previousN'): number {
  return bins.reduce((sum, bin) => sum + (bin[of] ?? 0), 0);
}

function marksIn({ fromMs, untilMs }: Bin, figures: Row | undefined) {
  if (figures === undefined) return [];
  return MARKS.flatMap(([figure, word]) => {
    const value = figures[figure];
    return value !== null && value >= fromMs && (untilMs === null || value < untilMs) ? [word] : [];
  });
}

function label(say: Say, { fromMs, untilMs }: Bin): string {
  return binLabel(say, fromMs, untilMs);
}
