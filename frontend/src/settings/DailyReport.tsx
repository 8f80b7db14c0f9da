import { Checkbox, NativeSelect, TextInput } from '@mantine/core';

import { locale, useWords } from '../words/words.ts';
import type { Draft } from './draft.ts';

interface DailyReportProps {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  problems: Map<string, string>;
  zone: string;
}

/** Before the first people of a team begin. */
const USUAL = '07:30';
const LANGUAGES = [
  { value: 'pt-BR', label: 'Português' },
  { value: 'en', label: 'English' },
];

/** When yesterday's report is sent. */
export function DailyReport({ draft: { dailyReport }, change, problems, zone }: DailyReportProps) {
  const say = useWords();
  return (
    <section className="card" id="set-report">
      <h2>{say('dailyReport')}</h2>
      <p className="quiet">{say('dailyReportHint')}</p>
      <Checkbox
        label={say('dailyReportOn')}
        checked={dailyReport !== null}
        onChange={(event) =>
          change({
            dailyReport: event.currentTarget.checked
              ? { at: USUAL, language: locale() === 'pt-BR' ? 'pt-BR' : 'en' }
              : null,
          })
        }
      />
      {dailyReport !== null && (
        <div className="report-fields">
          <TextInput
            size="sm"
            type="time"
            required
            withAsterisk={false}
            label={say('dailyReportAt', { zone })}
            value={dailyReport.at}
            error={problems.get('dailyReport.at')}
            onChange={(event) => change({ dailyReport: { ...dailyReport, at: event.currentTarget.value } })}
          />
          <NativeSelect
            size="sm"
            label={say('dailyReportLanguage')}
            data={LANGUAGES}
            value={dailyReport.language}
            onChange={({ currentTarget: { value } }) =>
              change({ dailyReport: { ...dailyReport, language: value === 'en' ? 'en' : 'pt-BR' } })
            }
          />
        </div>
      )}
    </section>
  );
}
