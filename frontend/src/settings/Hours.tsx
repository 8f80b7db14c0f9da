import { ActionIcon, Button, TextInput } from '@mantine/core';

import { isDay } from '../hub/days.ts';
import { Icon } from '../parts/icons.tsx';
import { dayName } from '../words/format.ts';
import { weekday } from '../words/weekday.ts';
import { useWords } from '../words/words.ts';
import { DAYS, type Draft, type Weekday } from './draft.ts';

interface PartProps {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  problems: Map<string, string>;
}

const BEGINNING: [string, string] = ['08:00', '18:00'];
const WORKDAYS = DAYS.slice(0, 5);
/** 24:00 is the end of a day, which a field of the type `time` does not take. */
const TIME = '([01][0-9]|2[0-3]):[0-5][0-9]|24:00';

/** When the team works, day by day. */
export function Hours({ draft: { hours }, change, problems, zone }: PartProps & { zone: string }) {
  const say = useWords();
  const set = (day: Weekday, spans: [string, string][]) => change({ hours: { ...hours, [day]: spans } });
  const copy = () => change({ hours: { ...hours, ...Object.fromEntries(WORKDAYS.map((day) => [day, hours.monday])) } });
  return (
    <section className="card" id="set-hours">
      <header>
        <h2>{say('hours')}</h2>
        <Button size="compact-sm" variant="subtle" onClick={copy}>
          {say('copyMonday')}
        </Button>
      </header>
      <p className="quiet">{say('hoursHint', { zone })}</p>
      {DAYS.map((day, index) => (
        <fieldset key={day} className="day">
          <legend>{weekday(index)}</legend>
          <div className="spans">
            {hours[day].length === 0 && <span className="quiet">{say('closedDay')}</span>}
            {hours[day].map(([from, to], at) => {
              const put = (span: [string, string]) =>
                set(
                  day,
                  hours[day].map((one, other) => (other === at ? span : one)),
                );
              const name = `${weekday(index)} ${at + 1}`;
              const problem =
                problems.get(`businessHours.${day}[${at}]`) ??
                (at === 0 ? problems.get(`businessHours.${day}`) : undefined);
              return (
                <div key={at} className="span">
                  <TextInput
                    size="sm"
                    aria-label={`${name}: ${say('from')}`}
                    value={from}
                    pattern={TIME}
                    placeholder="08:00"
                    maxLength={5}
                    required
                    error={problem}
                    onChange={(event) => put([event.currentTarget.value, to])}
                  />
                  <span aria-hidden="true">–</span>
                  <TextInput
                    size="sm"
                    aria-label={`${name}: ${say('to')}`}
                    value={to}
                    pattern={TIME}
                    placeholder="18:00"
                    maxLength={5}
                    required
                    error={Boolean(problem)}
                    onChange={(event) => put([from, event.currentTarget.value])}
                  />
                  <ActionIcon
                    variant="subtle"
                    color="gray"
                    aria-label={`${say('remove')}: ${name}`}
                    onClick={() =>
                      set(
                        day,
                        hours[day].filter((_, other) => other !== at),
                      )
                    }
                  >
                    <Icon name="close" />
                  </ActionIcon>
                </div>
              );
            })}
          </div>
          <ActionIcon
            variant="subtle"
            title={say('addSpan')}
            aria-label={`${say('addSpan')}: ${weekday(index)}`}
            onClick={() => set(day, [...hours[day], BEGINNING])}
          >
            <Icon name="plus" />
          </ActionIcon>
        </fieldset>
      ))}
    </section>
  );
}

/** Days on which nobody works, whatever day of the week they are. */
export function Holidays({ draft: { holidays }, change, problems }: PartProps) {
  const say = useWords();
  const put = (at: number, holiday: { date: string; name: string }) =>
    change({ holidays: holidays.map((one, other) => (other === at ? holiday : one)) });
  return (
    <section className="card" id="set-holidays">
      <header>
        <h2>{say('holidays')}</h2>
        <Button
          size="compact-sm"
          variant="subtle"
          onClick={() => change({ holidays: [...holidays, { date: '', name: '' }] })}
        >
          {say('addHoliday')}
        </Button>
      </header>
      <p className="quiet">{say('holidaysHint')}</p>
      {holidays.length === 0 && <p className="blank">{say('noHolidays')}</p>}
      <ul className="holidays">
        {holidays.map(({ date, name }, at) => (
          <li key={at}>
            <TextInput
              size="sm"
              type="date"
              aria-label={`${say('date')} ${at + 1}`}
              value={date}
              required
              // The browser writes the day as its own language does, which may not be that of the page.
              description={isDay(date) ? dayName(say, date) : '\u00a0'}
              inputWrapperOrder={['label', 'input', 'description', 'error']}
              error={problems.get(`holidays[${at}].date`)}
              onChange={(event) => put(at, { date: event.currentTarget.value, name })}
            />
            <TextInput
              size="sm"
              aria-label={`${say('name')} ${at + 1}`}
              placeholder={say('name')}
              value={name}
              required
              error={problems.get(`holidays[${at}].name`)}
              onChange={(event) => put(at, { date, name: event.currentTarget.value })}
            />
            <ActionIcon
              variant="subtle"
              color="gray"
              aria-label={`${say('remove')}: ${name || date || at + 1}`}
              onClick={() => change({ holidays: holidays.filter((_, other) => other !== at) })}
            >
              <Icon name="close" />
            </ActionIcon>
          </li>
        ))}
      </ul>
    </section>
  );
}
