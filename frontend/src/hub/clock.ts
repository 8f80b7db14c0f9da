/** The time of this screen, told each full second to whatever ticks. Nothing is asked of the hub for it. */

import { useSyncExternalStore } from 'react';

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

/** Milliseconds since 1970, new each second. */
export function useNow(): number {
  return useSyncExternalStore(subscribe, () => now);
}
