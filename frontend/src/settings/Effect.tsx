import { useNow } from '../hub/clock.ts';
import { openChats } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { lateOf, type LimitsOf } from '../hub/waits.ts';
import { useLimits } from '../live/limits.ts';
import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import type { Draft } from './draft.ts';

/** What thresholds would do before they are saved: how many of those who wait now would be late. */
export function Effect({ draft }: { draft: Draft }) {
  const say = useWords();
  const now = useNow();
  const { waiting, complete } = useStore(openChats);
  const { of } = useLimits();
  if (!complete || waiting.length === 0) return null;
  const [late, saved] = [lateOf(waiting, now, limitsOf(draft)), lateOf(waiting, now, of)];
  return (
    <span className="effect">
      {say('effect', { count: number(late), waiting: number(waiting.length), saved: number(saved) })}
    </span>
  );
}

function limitsOf({ limits, sectors }: Draft): LimitsOf {
  return (sector) => {
    const own = sectors.find(({ id }) => id === sector)?.limits.waitingSeconds;
    const minutes = own === undefined ? limits.waitingSeconds : own;
    return { attentionMs: null, lateMs: minutes === null || minutes === '' ? null : Number(minutes) * 60_000 };
  };
}
