import { Button, Checkbox, NativeSelect, TextInput } from '@mantine/core';
import { useState } from 'react';

import { dayOf } from '../hub/days.ts';
import { agentName } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { beforeIn } from './before.ts';
import { useReportLabels } from './Named.tsx';
import { FILTERS } from './metrics.ts';
import { PERIODS } from './period.ts';
import type { Report } from './useReport.ts';

const CLOCKS = ['wall', 'business'] as const;

/** The period, the clock, and whose chats. */
export function Choices({
  report: { period, since, till, clock, compare, zone, params, query, set, at },
}: {
  report: Report;
}) {
  const say = useWords();
  const options = useOptions();
  const today = dayOf(at, zone);
  const narrowed = FILTERS.filter((name) => params.get(name)).length + (clock === 'business' ? 1 : 0);
  const [more, setMore] = useState(narrowed > 0);
  return (
    <section className="card choices" aria-label={say('filters')} data-folded={!more || undefined}>
      <div className="statuses" role="group" aria-label={say('period')}>
        {PERIODS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={period === one}
            onClick={() =>
              set(
                one === 'custom'
                  ? { period: one, since: since || today, till: till || today }
                  : { period: one === 'today' ? '' : one, since: '', till: '' },
              )
            }
          >
            {say(`period_${one}`)}
          </button>
        ))}
      </div>
      {period === 'custom' && (
        <div className="days">
          <TextInput
            size="xs"
            type="date"
            label={say('firstDay')}
            value={since}
            max={today}
            onChange={(event) => set({ since: event.currentTarget.value })}
          />
          <TextInput
            size="xs"
            type="date"
            label={say('lastDay')}
            value={till}
            max={today}
            onChange={(event) => set({ till: event.currentTarget.value })}
          />
        </div>
      )}
      {/* On a phone alone, where the sentence about the period would be below the fold. */}
      <Button className="fold" size="compact-sm" variant="subtle" aria-expanded={more} onClick={() => setMore(!more)}>
        {say('moreFilters')}
        {narrowed > 0 && ` (${narrowed})`}
      </Button>
      <div className="statuses clock" role="group" aria-label={say('clock')}>
        {CLOCKS.map((one) => (
          <button
            key={one}
            type="button"
            aria-pressed={clock === one}
            onClick={() => set({ clock: one === 'wall' ? '' : one })}
          >
            {say(`clock_${one}`)}
          </button>
        ))}
      </div>
      <Checkbox
        label={query === null ? say('compareNone') : beforeIn(say, 'compare', query, zone)}
        checked={compare}
        onChange={(event) => set({ compare: event.currentTarget.checked ? '' : 'no' })}
      />
      <div className="whose">
        {FILTERS.map((name) => {
          const value = params.get(name) ?? '';
          return (
            <NativeSelect
              key={name}
              size="xs"
              label={say(name)}
              value={value}
              data={[{ value: '', label: say(`any_${name}`) }, ...options(name, value)]}
              onChange={(event) => set({ [name]: event.currentTarget.value })}
            />
          );
        })}
      </div>
    </section>
  );
}

/** All that have a label here, and what the address names beside them. */
function useOptions() {
  const say = useWords();
  const labels = useReportLabels();
  return (filter: (typeof FILTERS)[number], chosen: string) => {
    const found = new Map(labels[filter]);
    if (chosen && !found.has(chosen))
      found.set(chosen, filter === 'agent' ? agentName(say, { id: chosen, name: null }) : chosen);
    return [...found].map(([value, label]) => ({ value, label })).sort((a, b) => a.label.localeCompare(b.label));
  };
}
