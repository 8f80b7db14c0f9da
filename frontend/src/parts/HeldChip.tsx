import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import type { HeldList } from './useHeld.ts';
import './held.css';

/** How many rows have come while the list is held, and the way to them. It takes no place. */
export function HeldChip({ added, release }: Pick<HeldList<unknown>, 'added' | 'release'>) {
  const say = useWords();
  if (added === 0) return null;
  return (
    <div className="held-new">
      <button type="button" onClick={release}>
        {say('heldNew', { count: number(added) })} ↑
      </button>
    </div>
  );
}
