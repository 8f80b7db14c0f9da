import { Button, Skeleton } from '@mantine/core';
import { useEffect, useMemo, useState } from 'react';

import { reasonOf } from '../hub/errors.ts';
import { hub } from '../hub/hub.tsx';
import { Icon } from '../parts/icons.tsx';
import { Failure } from '../parts/Notice.tsx';
import { separator } from '../parts/csv.ts';
import { saveFile } from '../parts/save.ts';
import { tellApart } from '../words/apart.ts';
import { agentName, duration, fullMoment, number } from '../words/format.ts';
import { locale, useWords } from '../words/words.ts';
import {
  GROUPS,
  isDuration,
  PATH,
  useAnswer,
  type Answer,
  type Cell,
  type Grouping,
  type Metric,
  type Query,
  type Row,
} from './metrics.ts';
import { FILTER_OF, names } from './names.ts';
import type { Report } from './useReport.ts';

const COLUMNS: Metric[] = [
  'closed',
  'firstResponse',
  'replyTime',
  'handlingTime',
  'resolution',
  'messagesMember',
  'transferred',
  'abandoned',
];

interface Line {
  id: string | null;
  name: string;
  cells: Map<Metric, Row>;
}

interface GroupTableProps {
  report: Report;
  query: Query;
  explain: (cell: Cell) => void;
}

/** The same numbers for each agent, sector, channel or tag. */
export function GroupTable({ report, query, explain }: GroupTableProps) {
  const say = useWords();
  const by: Grouping = GROUPS.find((one) => one === report.params.get('by')) ?? 'agents';
  const { answer, busy, failure, again } = useAnswer<Answer>(`/${by}`, query, report.round);
  const [sort, setSort] = useState<{ by: Metric | 'name'; down: boolean }>({ by: 'closed', down: true });
  useEffect(() => {
    if (answer !== null) names.learn(by, answer.rows);
  }, [answer, by]);
  const lines = useMemo(
    () =>
      answer === null
        ? null
        : apart(
            linesOf(answer.rows, (id, name) =>
              by === 'agents'
                ? agentName(say, id === null ? null : { id, name })
                : id === null
                  ? say('none')
                  : (name ?? id),
            ),
          ),
    [answer, by, say],
  );
  const sorted = useMemo(() => lines?.toSorted(order(sort)), [lines, sort]);
  const filter = FILTER_OF[by];
  const turn = (column: Metric | 'name') =>
    setSort((before) => ({ by: column, down: before.by === column ? !before.down : column !== 'name' }));
  const head = (column: Metric | 'name', label: string) => (
    <th key={column} scope="col" aria-sort={sort.by === column ? (sort.down ? 'descending' : 'ascending') : undefined}>
      <button type="button" onClick={() => turn(column)}>
        {label}
        <span aria-hidden="true">{sort.by === column ? (sort.down ? ' ▾' : ' ▴') : ''}</span>
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
        <Export by={by} query={query} />
      </header>
      {failure !== null && <Failure reason={failure} again={again} />}
      {sorted === undefined && failure === null && <Skeleton height={200} />}
      {sorted?.length === 0 && <p className="blank">{say('nothingInPeriod')}</p>}
      {sorted !== undefined && sorted.length > 0 && (
        <div className="wide" tabIndex={0} role="group" aria-labelledby="groups-title">
          <table className="sortable" data-by={by}>
            <thead>
              <tr>
                {head('name', say(filter))}
                {COLUMNS.map((metric) => head(metric, say(`m_${metric}`)))}
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
                        title={say('narrowTo', { name })}
                        onClick={() => report.set({ [filter]: id })}
                      >
                        {name}
                      </button>
                    )}
                  </th>
                  {COLUMNS.map((metric) => {
                    const row = cells.get(metric);
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
                            onClick={() =>
                              explain({ metric, title: `${say(`m_${metric}`)} · ${name}`, query: { [filter]: id } })
                            }
                          >
                            {text}
                          </button>
                        ) : (
                          text
                        )}
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
        `${by}-${String(query.from).slice(0, 10)}.csv`,
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

/** Lines of one name are told apart by their ids. */
function apart(lines: Line[]): Line[] {
  const labels = tellApart(lines.flatMap(({ id, name }) => (id === null ? [] : [{ id, label: name }])));
  return lines.map((line) => ({ ...line, name: (line.id !== null && labels.get(line.id)) || line.name }));
}

/** Whoever has no value stands last, whichever way it is sorted. */
function order({ by, down }: { by: Metric | 'name'; down: boolean }) {
  return (a: Line, b: Line) => {
    const names = a.name.localeCompare(b.name);
    if (by === 'name') return down ? -names : names;
    const value = ({ cells }: Line) => (isDuration(by) ? cells.get(by)?.medianMs : (cells.get(by)?.n ?? 0));
    const [x, y] = [value(a), value(b)];
    if (x === undefined || x === null || y === undefined || y === null)
      return Number(y === undefined || y === null ? -1 : 0) + Number(x === undefined || x === null ? 1 : 0) || names;
    return (down ? y - x : x - y) || names;
  };
}
