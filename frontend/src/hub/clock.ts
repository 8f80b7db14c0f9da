/**
 * The hub's time, told each full second to whatever ticks. Nothing is asked of the hub for it: its frames tell the time, so
 * waits, days and what is late come out right on a computer whose own clock is wrong.
 */

import { createContext, useContext, useSyncExternalStore } from 'react';
import hub from 'umbler-hub-client';

/** The moment that a part of the page shows; null: now. Under it waits do not tick. */
export const MomentContext = createContext<number | null>(null);

/** What the network makes of the hub's time is less than this; a clock that was put right, or stood still in a sleep, more. */
const SHIFT_MS = 1000;

const listeners = new Set<() => void>();
let now = hubTime();
let timer: ReturnType<typeof setTimeout> | null = null;

const shiftListeners = new Set<() => void>();
let offset = offsetNow();
let shifts = 0;

/** Milliseconds since 1970 on the hub's clock; on this computer's until the hub was heard. */
export function hubTime(): number {
  return hub.hubTime();
}

/** Milliseconds since 1970, new each second; where the past is shown, its moment. */
export function useNow(): number {
  const moment = useContext(MomentContext);
  return useSyncExternalStore(moment === null ? subscribe : never, () => moment ?? now);
}

/** Another number each time the hub's time jumps: what was made of it before is to be made again. */
export function useClockShifts(): number {
  return useSyncExternalStore(subscribeToShifts, () => shifts);
}

/**
 * Runs once the hub's clock has reached this moment. It is looked at each second, because one long timer stands still while
 * a machine sleeps, and knows nothing of a clock that is put right. The answer calls it off.
 */
export function whenReached(at: number, run: () => void): () => void {
  const stop = subscribe(() => {
    if (now < at) return;
    stop();
    run();
  });
  return stop;
}

for (const event of ['connection_established', 'heartbeat', 'pong'] as const) hub.on(event, look);

function look() {
  const before = offset;
  offset = offsetNow();
  if (Math.abs(offset - before) < SHIFT_MS) return;
  shifts += 1;
  now = hubTime();
  for (const listener of [...shiftListeners, ...listeners]) listener();
}

function offsetNow(): number {
  return hubTime() - performance.now();
}

function subscribe(listener: () => void) {
  listeners.add(listener);
  if (timer === null) wait();
  return () => {
    listeners.delete(listener);
    if (listeners.size > 0 || timer === null) return;
    clearTimeout(timer);
    timer = null;
  };
}

function subscribeToShifts(listener: () => void) {
  shiftListeners.add(listener);
  return () => void shiftListeners.delete(listener);
}

function wait() {
  now = hubTime();
  timer = setTimeout(tick, 1000 - (now % 1000));
}

function tick() {
  wait();
  for (const listener of [...listeners]) listener();
}

function never() {
  return () => {};
}
