/** One question to the hub's metrics, for a part of the page. */

import { startTransition, useCallback, useEffect, useLayoutEffect, useRef, useState } from 'react';

import { hubTime } from '../hub/clock.ts';
import { useHub } from '../hub/hub.tsx';
import { type Held, heldAtFirst, keyOf, type Known, knownOf, pose, type Question, takeAtFirst } from './asking.ts';
import type { Query } from './metrics.ts';
import type { Report } from './useReport.ts';

interface Asking extends Omit<Question, 'choice'> {
  query: Query | null;
  /**
   * What the page's sentence needs. Over HTTP/1.1 a browser asks six things at once, and those of a page's parts before its own:
   * this is asked before all others. Its answer is drawn at once: one that waits its turn is drawn together with all that wait.
   */
  isFirst?: boolean;
}

export interface Asked<T> extends Known<T> {
  again: () => void;
}

/** Asks, and asks again when the question is another one, or in another round of the page. */
export function useAnswer<T>({ round, choice }: Pick<Report, 'round' | 'choice'>, asking: Asking): Asked<T> {
  const { isFirst = false } = asking;
  const question = { ...asking, choice };
  const { isConnected } = useHub();
  const [begun, setBegun] = useState(isConnected);
  if (isConnected && !begun) setBegun(true);
  const [held, setHeld] = useState<Held<T>>(() => heldAtFirst(question, hubTime()));
  /** The question whose answer was here before the page was drawn, and is not asked for again. */
  const answeredFirst = useRef(held.key);
  const [tries, setTries] = useState(0);
  const key = keyOf(question);
  const useAsking = isFirst ? useLayoutEffect : useEffect;
  // `tries` and `round` ask once more.
  useAsking(() => {
    if (!begun || key === null) return;
    const isAnswered = answeredFirst.current === key;
    answeredFirst.current = null;
    if (isAnswered) return takeAtFirst(question);
    setHeld((before) => (before.busy ? before : { ...before, busy: true }));
    // Seven answers come at about the same time: what they change is drawn in slices, between which the page can be used.
    return pose<T>(question, hubTime(), (next) => (isFirst ? setHeld(next) : startTransition(() => setHeld(next))));
  }, [key, choice, question.about, begun, tries, round]);
  return { ...knownOf(held, question), again: useCallback(() => setTries((before) => before + 1), []) };
}
