import { Button, Checkbox, Skeleton } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';

import { reasonOf } from '../hub/errors.ts';
import { hub } from '../hub/hub.tsx';
import { Icon } from '../parts/icons.tsx';
import { Failure } from '../parts/Notice.tsx';
import { separator } from '../parts/csv.ts';
import { useFolding } from '../parts/useFolding.ts';
import { fileName, saveFile } from '../parts/save.ts';
import { agentName, agentTitle, duration, fullMoment, number } from '../words/format.ts';
import { locale, useWords } from '../words/words.ts';
import { PATH } from './ask.ts';
import { useReportLabels } from './Named.tsx';
import {
  GROUPS,
  isDuration,
  metricIn,
  type Answer,
  type Cell,
  type Grouping,
  type Metric,
  type Query,
  type Row,
} from './metrics.ts';
import { FILTER_OF, names } from './names.ts';
import { useAnswer } from './useAnswer.ts';
import type { Report } from './useReport.ts';

/** Columns that can be chosen; the first ones are shown until somebody chooses others. */
const COLUMNS: Metric[] = [
  'closed',
  'firstResponse',
  'replyTime',
  'handlingTime',
  'resolution',
  'messagesMember',
  'transferred',
  'abandoned',
  'created',
  'reopened',
  'queueTime',
  'messagesIn',
];
const USUAL = COLUMNS.slice(0, 8);

/** How the table is sorted until somebody sorts it. */
const SORT = 'closed.down';

interface Sort {
  by: Metric | 'name';
  isDown: boolean;
}

interface Line {
  id: string | null;
  name: string;
  cells: Map<Metric, Row>;
}

interface GroupTableProps {
  report: Report;
  query: Query;
  /** The numbers of all together; null while they are not known, or of another question. */
  total: Row[] | null;
  explain: (cell: Cell) => void;
}

/** The same numbers for each agent, sector, channel or tag. */
export function GroupTable({ report, query, total, explain }: GroupTableProps) {
  const say = useWords();
  const by: Grouping = GROUPS.find((one) => one === report.params.get('by')) ?? 'agents';
  const { answer, busy, failure, isCurrent, again } = useAnswer<Answer>(report, { path: `/${by}`, query, about: by });
  const labels = useReportLabels();
  const sort = useMemo(() => sortIn(report.params.get('sort')), [report.params]);
  useEffect(() => {
    if (answer !== null) names.learn(by, answer.rows);
  }, [answer, by]);
  const lines = useMemo(
    () =>
      answer === null
        ? null
        : linesOf(answer.rows, (id, name) =>
            id === null
              ? by === 'agents'
                ? agentName(say, null)
                : say(`none_${by}`)
              : (labels[FILTER_OF[by]].get(id) ?? (by === 'agents' ? agentName(say, { id, name }) : (name ?? id))),
          ),
    [answer, by, say, labels],
  );
  const sorted = useMemo(() => lines?.toSorted(order(sort)), [lines, sort]);
  const nameless = useMemo(
    () => new Set(by === 'agents' ? answer?.rows.filter((row) => !row.name).map((row) => row.id) : []),
    [answer, by],
  );
  const filter = FILTER_OF[by];
  const chosen = report.params.get('columns')?.split(',') ?? USUAL;
  const columns = COLUMNS.filter((column) => chosen.includes(column));
  const mostOf = useMemo(
    () =>
      new Map(COLUMNS.map((metric) => [metric, Math.max(1, ...(lines ?? []).map((line) => figureOf(line, metric)))])),
    [lines],
  );
  const turn = (column: Metric | 'name') => {
    // The address's own: a table that is sorted twice in a row may not be drawn in between.
    const last = sortIn(new URLSearchParams(window.location.search).get('sort'));
    const isDown = last.by === column ? !last.isDown : column !== 'name';
    const next = `${column}.${isDown ? 'down' : 'up'}`;
    report.set({ sort: next === SORT ? '' : next });
  };
  const head = (column: Metric | 'name', label: string) => (
    <th
      key={column}
      scope="col"
      aria-sort={sort.by === column ? (sort.isDown ? 'descending' : 'ascending') : undefined}
    >
      <button type="button" onClick={() => turn(column)}>
        {label}
        <span aria-hidden="true">{sort.by === column ? (sort.isDown ? ' ▾' : ' ▴') : ''}</span>
      </button>
    </th>
  );
  return (
    <section className="card" aria-labelledby="groups-title" aria-busy={busy}>
      <header>
        <h2 id="groups-title">{say('byWhom')}</h2>
        <div className="statuses" role="group" aria-label={say('byWhom')}>
          {GROUPS.map((one) => (
            <button
              key={one}
              type="button"
              aria-pressed={by === one}
              onClick={() => report.set({ by: one === 'agents' ? '' : one })}
            >
              {say(`by_${one}`)}
            </button>
          ))}
        </div>
        <ColumnChoice
          chosen={columns}
          choose={(next) => report.set({ columns: next.join() === USUAL.join() ? '' : next.join() })}
        />
        <Export by={by} query={query} />
      </header>
      {failure !== null && <Failure reason={failure} again={again} />}
      {sorted === undefined && failure === null && <Skeleton height={200} />}
      {sorted?.length === 0 && <p className="blank">{say('nothingInPeriod')}</p>}
      {sorted !== undefined && sorted.length > 0 && (
        <div className="wide tall" tabIndex={0} role="group" aria-labelledby="groups-title">
          <table className="sortable" data-by={by}>
            <thead>
              <tr>
                {head('name', say(filter))}
                {columns.map((metric) => head(metric, say(`m_${metric}`)))}
              </tr>
            </thead>
            <tbody>
              {sorted.map(({ id, name, cells }) => (
                <tr key={id ?? ''}>
                  <th scope="row">
                    {id === null ? (
                      name
                    ) : (
                      <button
                        type="button"
                        className="number"
                        title={[say('narrowTo', { name }), nameless.has(id) && agentTitle(say, { id, name: null })]
                          .filter(Boolean)
                          .join('\n')}
                        onClick={() => report.set({ [filter]: id })}
                      >
                        {name}
                      </button>
                    )}
                  </th>
                  {columns.map((metric) => {
                    const row = cells.get(metric);
                    const share = figureOf({ id, name, cells }, metric) / (mostOf.get(metric) ?? 1);
                    const text =
                      row === undefined
                        ? isDuration(metric)
                          ? '–'
                          : number(0)
                        : isDuration(metric)
                          ? duration(row.medianMs)
                          : number(row.n);
                    return (
                      <td key={metric}>
                        {row !== undefined && id !== null ? (
                          <button
                            type="button"
                            className="number"
                            title={`n = ${number(row.n)}`}
                            aria-label={`${name}, ${say(`m_${metric}`)}: ${text}. ${say('seeChats')}`}
                            onClick={() => explain({ metric, query: { [filter]: id } })}
                          >
                            {text}
                          </button>
                        ) : (
                          text
                        )}
                        <i className="inline-bar" aria-hidden="true" style={{ width: `${share * 100}%` }} />
                      </td>
                    );
                  })}
                </tr>
              ))}
            </tbody>
            {total !== null && isCurrent && <Total rows={total} columns={columns} hasTags={by === 'tags'} />}
          </table>
        </div>
      )}
    </section>
  );
}

/** All together. A chat with two tags counts in both lines, and once here; a median is of all values, not of the medians. */
function Total({ rows, columns, hasTags }: { rows: Row[]; columns: Metric[]; hasTags: boolean }) {
  const say = useWords();
  const of = new Map(rows.map((row) => [row.metric, row]));
  return (
    <tfoot>
      <tr>
        <th scope="row" title={hasTags ? say('totalOfTags') : undefined}>
          {say('total')}
        </th>
        {columns.map((metric) => {
          const row = of.get(metric);
          return <td key={metric}>{isDuration(metric) ? duration(row?.medianMs ?? null) : number(row?.n ?? 0)}</td>;
        })}
      </tr>
    </tfoot>
  );
}

/** Which columns are shown. It stands in the address, so a saved view keeps it. */
function ColumnChoice({ chosen, choose }: { chosen: Metric[]; choose: (columns: Metric[]) => void }) {
  const say = useWords();
  const box = useFolding();
  return (
    <details className="column-choice" ref={box}>
      <summary>{say('columns', { count: number(chosen.length), all: number(COLUMNS.length) })}</summary>
      <fieldset>
        <legend className="hidden">{say('columnsWhich')}</legend>
        {COLUMNS.map((metric) => {
          const isChosen = chosen.includes(metric);
          return (
            <Checkbox
              key={metric}
              size="xs"
              label={say(`m_${metric}`)}
              checked={isChosen}
              // A table without any column could not be told from one without data.
              disabled={isChosen && chosen.length === 1}
              onChange={() => choose(COLUMNS.filter((one) => (one === metric ? !isChosen : chosen.includes(one))))}
            />
          );
        })}
      </fieldset>
    </details>
  );
}

/** All columns of the hub's own table, as it writes them. */
function Export({ by, query }: { by: Grouping; query: Query }) {
  const say = useWords();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  async function save() {
    setBusy(true);
    setFailure(null);
    try {
      saveFile(
        await hub.download(`${PATH}/${by}`, { ...query, format: 'csv', separator: separator(locale()) }, 'text/csv'),
        `${fileName(say(`by_${by}`))}-${String(query.from).slice(0, 10)}.csv`,
      );
    } catch (error) {
      setFailure(reasonOf(error));
    }
    setBusy(false);
  }
  return (
    <>
      <Button
        size="compact-sm"
        variant="default"
        loading={busy}
        onClick={() => void save()}
        leftSection={<Icon name="down" />}
        title={say('csvHint', { from: fullMoment(String(query.from)), until: fullMoment(String(query.until)) })}
      >
        {say('csv')}
      </Button>
      {failure !== null && (
        <span role="alert" className="refusal small">
          {say('failed', { reason: failure })}
        </span>
      )}
    </>
  );
}

/** As the address has it: `replyTime.up`. */
function sortIn(text: string | null): Sort {
  const [name, way] = (text ?? SORT).split('.');
  return { by: name === 'name' ? name : metricIn(name ?? null, COLUMNS, 'closed'), isDown: way !== 'up' };
}

function linesOf(rows: Row[], nameFor: (id: string | null, name: string | null) => string): Line[] {
  const lines = new Map<string | null, Line>();
  for (const row of rows) {
    const id = row.id ?? null;
    const line = lines.get(id) ?? { id, name: nameFor(id, row.name ?? null), cells: new Map() };
    line.cells.set(row.metric, row);
    lines.set(id, line);
  }
  return [...lines.values()];
}

function figureOf({ cells }: Line, metric: Metric): number {
  const row = cells.get(metric);
  return (isDuration(metric) ? row?.medianMs : row?.n) ?? 0;
}

/** Whoever has no value stands last, whichever way it is sorted. */
function order({ by, isDown }: Sort) {
  return (a: Line, b: Line) => {
    const names = a.name.localeCompare(b.name);
    if (by === 'name') return isDown ? -names : names;
    const value = ({ cells }: Line) => (isDuration(by) ? cells.get(by)?.medianMs : (cells.get(by)?.n ?? 0));
    const [x, y] = [value(a), value(b)];
    if (x === undefined || x === null || y === undefined || y === null)
      return Number(y === undefined || y === null ? -1 : 0) + Number(x === undefined || x === null ? 1 : 0) || names;
    return (isDown ? y - x : x - y) || names;
  };
}
