import { Skeleton } from '@mantine/core';
import { useEffect } from 'react';

import { traffic, useHub } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import type { Hour } from '../hub/traffic.ts';
import { Failure } from '../parts/Notice.tsx';
import { number } from '../words/format.ts';
import { locale, useWords } from '../words/words.ts';

const SERIES = ['customers', 'team', 'others'] as const;

/** Messages of the last hours, stacked by who wrote them. The same as a table for whoever does not see bars. */
export function TrafficChart() {
  const say = useWords();
  const { isConnected } = useHub();
  const { hours, failure } = useStore(traffic);
  useEffect(() => {
    if (isConnected) traffic.begin();
  }, [isConnected]);
  const most = Math.max(1, ...(hours ?? []).map(sum));
  return (
    <section className="card traffic" aria-labelledby="traffic-title">
      <header>
        <h2 id="traffic-title">{say('trafficTitle')}</h2>
        <ul className="legend">{SERIES.map((name) => <li key={name} data-series={name}>{say(name)}</li>)}</ul>
      </header>
      <p className="quiet">{say('trafficHint')}</p>
      {failure !== null && <Failure reason={failure} again={() => void traffic.read()} />}
      {hours === null && failure === null && <Skeleton height={150} />}
      {hours?.every((hour) => sum(hour) === 0) && <p className="blank">{say('trafficEmpty')}</p>}
      {hours !== null && (
        <>
          <div className="bars" aria-hidden="true">
            {hours.map((hour) => (
              <div key={hour.from} className="hour" title={say('trafficBar', { hour: label(hour), customers: hour.customers, team: hour.team, others: hour.others })}>
                <span className="sum">{number(sum(hour))}</span>
                <div className="stack" style={{ height: `${(sum(hour) / most) * 100}%` }}>
                  {SERIES.toReversed().map((name) => <i key={name} data-series={name} style={{ flexGrow: hour[name] }} />)}
                </div>
                <span>{label(hour)}</span>
              </div>
            ))}
          </div>
          <table className="hidden">
            <caption>{say('trafficTitle')}</caption>
            <thead><tr><th scope="col">{say('hour')}</th>{SERIES.map((name) => <th key={name} scope="col">{say(name)}</th>)}</tr></thead>
            <tbody>
              {hours.map((hour) => (
                <tr key={hour.from}><th scope="row">{label(hour)}</th>{SERIES.map((name) => <td key={name}>{number(hour[name])}</td>)}</tr>
              ))}
            </tbody>
          </table>
        </>
      )}
    </section>
  );
}

function sum({ customers, team, others }: Hour): number {
  return customers + team + others;
}

function label({ from }: Hour): string {
  const hour = new Intl.DateTimeFormat(locale(), { hour: '2-digit', hourCycle: 'h23' }).format(from);
  return `${hour.replace(/\D/g, '')}h`;
}
