import { Button, Skeleton } from '@mantine/core';
import { useEffect, useRef, useState } from 'react';
import { Link } from 'react-router';

import { reasonOf } from '../hub/errors.ts';
import { hub } from '../hub/hub.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { Failure } from '../parts/Notice.tsx';
import { duration, fullMoment, number } from '../words/format.ts';
import { contactTitle } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { ask } from './ask.ts';
import { cellTitle } from './behind.ts';
import { isDuration, type Cell, type Query } from './metrics.ts';
import { useReportLabels } from './Named.tsx';
import type { Report } from './useReport.ts';

interface Behind {
  chatId: string;
  contactName: string | null;
  contactPhone: string | null;
  start: string;
  end: string;
  wallMs: number;
  businessMs: number;
}

const PAGE = 50;

/** The chats that a number was made of, the longest first. */
export function Explain({
  cell,
  base: asked,
  report,
  close,
}: {
  cell: Cell;
  base: Query;
  report: Report;
  close: () => void;
}) {
  const say = useWords();
  const { zone } = report;
  const labels = useReportLabels();
  // The number was of then, whatever the page asks meanwhile.
  const [base] = useState(asked);
  const [page, setPage] = useState(1);
  const [rows, setRows] = useState<Behind[]>([]);
  const [total, setTotal] = useState<number | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const [tries, setTries] = useState(0);
  /** How many pages of `rows` are as the hub has them now. */
  const read = useRef(0);
  const erasures = useRef(0);
  const key = JSON.stringify({ ...base, ...cell.query, metric: cell.metric, explain: 'true', limit: PAGE });
  // biome-ignore lint/correctness/useExhaustiveDependencies: `tries` asks once more
  useEffect(() => {
    let over = false;
    async function readOn() {
      while (read.current < page) {
        const [before, round] = [read.current * PAGE, erasures.current];
        const question = { ...JSON.parse(key), page: read.current + 1 };
        const answer = await ask<{ rows: Behind[]; total: number }>('/summary', question);
        if (over || round !== erasures.current) return;
        read.current += 1;
        setRows((known) => [...known.slice(0, before), ...answer.rows, ...known.slice(before + PAGE)]);
        setTotal(answer.total);
      }
    }
    setFailure(null);
    readOn().catch((error) => !over && setFailure(reasonOf(error)));
    return () => {
      over = true;
    };
  }, [key, page, tries]);
  // Rows do not tell whose they are: no name stays until they are read anew, and what is under way may hold it.
  useEffect(
    () =>
      hub.on('umbler_update', ({ erasedContactId }) => {
        if (!erasedContactId) return;
        erasures.current += 1;
        read.current = 0;
        setRows((known) => known.map((row) => ({ ...row, contactName: null, contactPhone: null })));
        setTries((before) => before + 1);
      }),
    [],
  );
  const business = base.clock === 'business';
  return (
    <Dialog title={cellTitle(say, cell, report, labels)} close={close}>
      <p className="quiet">
        {say(`d_${cell.metric}`)}{' '}
        {isDuration(cell.metric) && `${say('clock')}: ${say(`clock_${business ? 'business' : 'wall'}`)}.`}
      </p>
      <p role="status">{total === null ? say('loading') : say('behind', { count: number(total) })}</p>
      {failure !== null && <Failure reason={failure} again={() => setTries(tries + 1)} />}
      {total === null && failure === null && <Skeleton height={180} />}
      {rows.length > 0 && (
        <ul className="behind">
          {rows.map((row, index) => (
            <li key={index}>
              <Link to={`/chats/${encodeURIComponent(row.chatId)}`}>{contactTitle(say, row)}</Link>
              <span className="quiet">
                {row.start === row.end
                  ? fullMoment(row.end, zone)
                  : say('fromTo', { from: fullMoment(row.start, zone), until: fullMoment(row.end, zone) })}
              </span>
              {isDuration(cell.metric) && <strong>{duration(business ? row.businessMs : row.wallMs)}</strong>}
            </li>
          ))}
        </ul>
      )}
      {total !== null && rows.length < total && (
        <Button variant="default" size="compact-sm" onClick={() => setPage(page + 1)}>
          {say('more')}
        </Button>
      )}
    </Dialog>
  );
}
