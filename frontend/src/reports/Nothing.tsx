import { Button } from '@mantine/core';

import { useWords } from '../words/words.ts';
import type { Row } from './metrics.ts';
import type { Period } from './period.ts';
import type { Report } from './useReport.ts';

/** Where more may be. */
const WIDER: Partial<Record<Period, Period>> = { today: 'week', yesterday: 'week', week: 'month' };

/** Nothing is counted, and nothing was in what it is compared with: tables of noughts and dashes would say no more. */
export function isNothing(rows: Row[]): boolean {
  return rows.length > 0 && rows.every(({ n, previousN = 0 }) => n === 0 && previousN === 0);
}

/** Stands for all figures of such a period, with a way to a longer one. */
export function Nothing({ report: { period, set } }: { report: Report }) {
  const say = useWords();
  const wider = WIDER[period];
  return (
    <section className="card nothing">
      <p className="blank">{say('nothingInPeriod')}</p>
      {wider && (
        <Button variant="default" size="compact-sm" onClick={() => set({ period: wider })}>
          {say('seeWider', { period: say(`period_${wider}`) })}
        </Button>
      )}
    </section>
  );
}
