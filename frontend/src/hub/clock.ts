/** The time of this screen, told each full second to whatever ticks. Nothing is asked of the hub for it. */

import { createContext, useContext, useSyncExternalStore } from 'react';

/** The moment that a part of the page shows; null: now. Under it waits do not tick. */
export const MomentContext = createContext<number | null>(null);

const listeners = new Set<() => void>();
let now = Date.now();
let timer: ReturnType<typeof setTimeout> | null = null;

function tick() {
  now = Date.now();
  timer = setTimeout(tick, 1000 - (now % 1000));
  for (const listener of [...listeners]) listener();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  if (timer === null) tick();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearTimeout(timer);
    timer = null;
  };
}

/** Milliseconds since 1970, new each second; where the past is shown, its moment. */
export function useNow(): number {
  const moment = useContext(MomentContext);
  return useSyncExternalStore(moment === null ? subscribe : never, () => moment ?? now);
}

function never() {
  return () => {};
}
