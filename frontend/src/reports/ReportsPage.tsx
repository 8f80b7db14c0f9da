import { Button } from '@mantine/core';
import { useDeferredValue, useEffect, useMemo } from 'react';

import { Missing } from '../parts/Missing.tsx';
import { Failure } from '../parts/Notice.tsx';
import { clockTime, number, stretch } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { cellText, useBehind } from './behind.ts';
import { Choices } from './Choices.tsx';
import { rowsOf, withEarlier } from './compare.ts';
import { Distribution } from './Distribution.tsx';
import { Explain } from './Explain.tsx';
import { GroupTable } from './GroupTable.tsx';
import { HeatMap } from './HeatMap.tsx';
import { ReportLabelProvider } from './Named.tsx';
import type { Answer, Cell, Query, Row } from './metrics.ts';
import { askFirst } from './opening.ts';
import type { Span } from './period.ts';
import { useSeries } from './series.ts';
import { isNothing, Nothing } from './Nothing.tsx';
import { SeriesChart } from './SeriesChart.tsx';
import { Story } from './Story.tsx';
import { Summary } from './Summary.tsx';
import { useAnswer } from './useAnswer.ts';
import { type Report, useRefresh, useReport } from './useReport.ts';
import './charts.css';
import './reports.css';
import './tables.css';
import './print.css';

/** The page is opened, and will be drawn. Settled once what it shows first is here. */
export function ahead(): Promise<void> {
  return askFirst(new URLSearchParams(location.search));
}

/** What was, over any period, beside the period before; each number leads to the chats that it was made of. */
export default function ReportsPage() {
  const say = useWords();
  const report = useReport();
  const { query, earlier, zone, setZone, again } = report;
  const summary = useAnswer<Answer>(report, { path: '/summary', query, earlier, isFirst: true });
  const series = useSeries(report, query);
  const { cell, open, close } = useBehind();
  // The sentence and the cards come first: to draw all the rest takes a phone longer than to draw them.
  const isRestDrawn = useDeferredValue(true, false);
  useRefresh(again);
  const told = summary.answer?.timezone;
  useEffect(() => {
    if (told !== undefined && told !== zone) setZone(told);
  }, [told, zone, setZone]);
  const { answer, previous, askedAt, isCurrent } = summary;
  const rows = useMemo(
    () => (answer === null ? [] : withEarlier(rowsOf(answer), previous && rowsOf(previous), ({ metric }) => metric)),
    [answer, previous],
  );
  if (summary.missing)
    return (
      <div className="page">
        <h1>{say('reports')}</h1>
        <section className="card">
          <Missing />
        </section>
      </div>
    );
  return (
    <ReportLabelProvider>
      <div className="page reports">
        <header className="title">
          <h1>{say('reports')}</h1>
          <p className="quiet">
            {answer && say('periodIs', { stretch: stretch(answer.from, answer.until, zone), zone })}
          </p>
          <Button
            className="refresh"
            size="compact-sm"
            variant="default"
            onClick={again}
            loading={summary.busy && answer !== null}
          >
            {askedAt === null ? say('refreshNow') : say('refresh', { at: clockTime(askedAt) })}
          </Button>
        </header>
        {query !== null && <Story report={report} query={query} asked={summary} rows={rows} />}
        <Choices report={report} />
        {query === null && (
          <p className="blank" role="status">
            {say('noPeriod')}
          </p>
        )}
        {summary.failure !== null && <Failure reason={summary.failure} again={summary.again} />}
        {answer?.rebuilding && (
          <p className="notice quiet" role="status">
            {say('rebuilding', { done: number(answer.rebuilding.done), total: number(answer.rebuilding.total) })}
          </p>
        )}
        {query !== null && (
          <>
            {isNothing(rows) ? (
              <Nothing report={report} />
            ) : (
              <>
                <Summary
                  asked={{ answer: answer && { ...answer, rows }, busy: summary.busy }}
                  earlier={answer === null ? earlier : previous}
                  explain={open}
                  zone={zone}
                  series={series}
                />
                {isRestDrawn && (
                  <Charts
                    report={report}
                    query={query}
                    summary={isCurrent ? answer : null}
                    total={isCurrent ? rows : null}
                    explain={open}
                  />
                )}
              </>
            )}
            {/* Once it is known in which zone days are asked for. */}
            {cell !== null && told === zone && (
              <Explain key={cellText(cell)} cell={cell} base={query} report={report} close={close} />
            )}
          </>
        )}
      </div>
    </ReportLabelProvider>
  );
}

interface ChartsProps {
  report: Report;
  query: Query & Span;
  /** The numbers of the cards; null while they are not known, or of another question. */
  summary: Answer | null;
  total: Row[] | null;
  explain: (cell: Cell) => void;
}

/** What comes below the cards. */
function Charts({ report, query, summary, total, explain }: ChartsProps) {
  return (
    <>
      <div className="columns even">
        <Distribution report={report} query={query} summary={summary} explain={explain} />
        <div className="side">
          <SeriesChart report={report} query={query} explain={explain} />
          <HeatMap report={report} query={query} explain={explain} />
        </div>
      </div>
      <GroupTable report={report} query={query} total={total} explain={explain} />
    </>
  );
}
