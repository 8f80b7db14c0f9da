/** The two looks at the list that are wanted many times a day, each one click away. */

import { useWords } from '../words/words.ts';
import { WAITS } from './filters.ts';

export function Quick({ wait, change }: { wait: string; change: (name: string, value: string) => void }) {
  const say = useWords();
  return (
    <div className="quick" role="group" aria-label={say('wait')}>
      {WAITS.map((one) => (
        <button
          key={one}
          type="button"
          className="chip"
          aria-pressed={wait === one}
          title={say(`quick_${one}_hint`)}
          onClick={() => change('wait', wait === one ? '' : one)}
        >
          {say(`quick_${one}`)}
        </button>
      ))}
    </div>
  );
}
