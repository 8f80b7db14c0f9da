import type { Stats } from 'umbler-hub-client';

import { words } from '../words/words.ts';

/** The counters; a dash where they are not known yet. */
export function Numbers({ stats }: { stats: Stats | null }) {
  const numbers = [
    ['open', stats?.openChats],
    ['waiting', stats?.waitingChats],
    ['contacts', stats?.totalContacts],
    ['messages', stats?.totalMessages],
  ] as const;
  return (
    <dl className="numbers">
      {numbers.map(([name, value]) => (
        <div key={name} data-name={name}>
          <dt>{words[name]}</dt>
          <dd>{value ?? '–'}</dd>
        </div>
      ))}
    </dl>
  );
}
