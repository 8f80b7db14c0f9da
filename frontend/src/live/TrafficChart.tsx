import { Skeleton } from '@mantine/core';
import { useEffect } from 'react';

import { useNow } from '../hub/clock.ts';
import type { Day, Hour } from '../hub/day-traffic.ts';
import { dayOf } from '../hub/days.ts';
import { traffic, useHub } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import type { Traffic } from '../hub/traffic.ts';
import { AboutThis } from '../parts/AboutThis.tsx';
import { Failure } from '../parts/Notice.tsx';
import { duration, hourName, number, percent } from '../words/format.ts';
import { weekday } from '../words/weekday.ts';
import { useWords, type Say } from '../words/words.ts';
import { countOf, HOURS_STEP, hoursShown, isRunning, marksOf, runOf } from './dayScale.ts';
import { FirstResponses } from './FirstResponses.tsx';
import { UsualLine } from './UsualLine.tsx';

const SERIES = ['customers', 'team', 'others'] as const;

export function LiveTraffic() {
  const { isConnected } = useHub();
  useEffect(() => {
    if (isConnected) traffic.begin();
  }, [isConnected]);
  return <TrafficChart traffic={useStore(traffic)} again={() => void traffic.read()} />;
}

/** Messages of the day, stacked by who wrote them, and the usual day as a line over them. The same as a table for whoever does not see bars. */
export function TrafficChart({ traffic: { day, failure, missing }, again }: { traffic: Traffic; again: () => void }) {
  const say = useWords();
  return (
    <section
      className="card panel traffic"
      aria-labelledby="traffic-title"
      aria-busy={day === null && failure === null && !missing}
    >
      <header>
        <h2 id="traffic-title">{say('trafficTitle')}</h2>
        {day !== null && (
          <AboutThis of={say('trafficTitle')}>
            {say(isUsual(day) ? 'trafficHint' : 'noUsual', { weekday: weekday(weekdayOf(day)) })}
          </AboutThis>
        )}
        <ul className="legend">
          {SERIES.map((name) => (
            <li key={name} data-series={name}>
              {say(name)}
            </li>
          ))}
          {day !== null && isUsual(day) && <li data-usual="">{say('usualDay')}</li>}
        </ul>
      </header>
      {missing && <p className="blank">{say('missing')}</p>}
      {failure !== null && <Failure reason={failure} again={again} />}
      {day === null && failure === null && !missing && <Skeleton height={180} />}
      {day !== null && <Hours day={day} />}
    </section>
  );
}

function Hours({ day }: { day: Day }) {
  const say = useWords();
  const now = useNow();
  const { hours, zone, rebuilding } = day;
  const usual = isUsual(day);
  const most = Math.max(1, ...hours.map((hour) => Math.max(countOf(hour), hour.usual ?? 0)));
  const share = (value: number) => `${(value / most) * 100}%`;
  const height = (value: number) => ({ height: share(value) });
  const isEmpty = hours.every((hour) => countOf(hour) === 0 && (hour.usual ?? 0) === 0);
  if (isEmpty)
    return (
      <p className="blank soFar">
        {say('trafficEmpty')}
        {rebuilding && <span className="quiet"> {say('trafficPart')}</span>}
      </p>
    );
  const marks = marksOf(most);
  const shown = hoursShown(hours, now);
  const left = `${Math.max(number(marks.at(-1)).length, 5) + 1}ch`;
  const scale = { paddingLeft: left };
  return (
    <>
      <p className="soFar">
        {soFar(say, day, now)}
        {rebuilding && <span className="quiet"> {say('trafficPart')}</span>}
      </p>
      <div className="bars" aria-hidden="true" style={scale}>
        <div className="scale">
          {marks.map((mark) => (
            <span key={mark} style={{ bottom: share(mark) }}>
              {number(mark)}
            </span>
          ))}
        </div>
        {shown.map((hour) => (
          <div
            key={hour.from}
            className="hour"
            data-running={isRunning(hour, now) || undefined}
            title={describe(say, hour, now)}
          >
            <div>
              {countOf(hour) > 0 && (
                <span className="stack" style={height(countOf(hour))}>
                  {SERIES.toReversed().map((name) => (
                    <i key={name} data-series={name} style={{ flexGrow: hour[name] }} />
                  ))}
                </span>
              )}
            </div>
            {/* On a phone there is no room for more names. */}
            <span className="mark">{hour.hour % HOURS_STEP === 0 ? label(hour) : ''}</span>
          </div>
        ))}
        {usual && <UsualLine hours={shown} most={most} now={now} left={left} />}
      </div>
      <FirstResponses hours={shown.map((hour) => ({ ...hour, firstMs: firstOf(hour, now) }))} style={scale} />
      <div className="hidden">
        <table>
          <caption>
            {say('trafficTitle')}, {dayOf(hours[0]?.from ?? now, zone)}
          </caption>
          <thead>
            <tr>
              <th scope="col">{say('hour')}</th>
              {SERIES.map((name) => (
                <th key={name} scope="col">
                  {say(name)}
                </th>
              ))}
              {usual && <th scope="col">{say('usualDay')}</th>}
              <th scope="col">{say('m_firstResponse')}</th>
            </tr>
          </thead>
          <tbody>
            {hours
              .filter(({ from }) => usual || from <= now)
              .map((hour) => (
                <tr key={hour.from}>
                  <th scope="row">
                    {label(hour)}
                    {isRunning(hour, now) && ` (${say('running')})`}
                  </th>
                  {SERIES.map((name) => (
                    <td key={name}>{hour.from <= now ? number(hour[name]) : '–'}</td>
                  ))}
                  {usual && <td>{number(Math.round(hour.usual ?? 0))}</td>}
                  <td>{duration(firstOf(hour, now))}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </div>
    </>
  );
}

/** Whole hours are compared: the one that runs is not over yet. */
function soFar(say: Say, day: Day, now: number): string {
  const all = day.hours.reduce((total, hour) => total + countOf(hour), 0);
  const over = day.hours.filter(({ until }) => until <= now);
  // As it is told, so that the change is that of the numbers beside it.
  const usual = Math.round(over.reduce((total, hour) => total + (hour.usual ?? 0), 0));
  const last = over.at(-1);
  if (!isUsual(day) || last === undefined || usual === 0)
    return all === 0 ? say('trafficEmpty') : say('trafficCount', { count: number(all) });
  const count = over.reduce((total, hour) => total + countOf(hour), 0);
  const moved = count - usual;
  const change = moved === 0 ? '=' : `${moved > 0 ? '+' : '−'}${percent(Math.abs(moved), usual)}`;
  return say('trafficSoFar', {
    hour: hourName(last.hour + 1),
    count: number(count),
    usual: number(usual),
    change,
  });
}

function describe(say: Say, hour: Hour, now: number): string {
  const words = say('trafficBar', {
    hour: label(hour),
    customers: number(hour.customers),
    team: number(hour.team),
    others: number(hour.others),
  });
  if (hour.usual === null) return words;
  const usual = (count: number) => number(Math.round(count));
  const told = isRunning(hour, now)
    ? say('trafficUsualNow', { usual: usual(hour.usual), now: usual(hour.usual * runOf(hour, now)) })
    : say('trafficUsual', { usual: usual(hour.usual) });
  return `${words} · ${told}`;
}

function isUsual({ hours }: Day): boolean {
  return hours.some(({ usual }) => usual !== null);
}

/** The first response of an hour that is over: what was read of the one that runs is soon out of date. */
function firstOf({ until, firstMs }: Hour, now: number): number | null {
  return until <= now ? firstMs : null;
}

/** 0 is Monday. */
function weekdayOf({ hours, zone }: Day): number {
  return (new Date(`${dayOf(hours[0]?.from ?? 0, zone)}T00:00:00Z`).getUTCDay() + 6) % 7;
}

function label({ hour }: Hour): string {
  return hourName(hour);
}
