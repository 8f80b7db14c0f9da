/** A value that components follow. Whoever listens is told at most once in `CALM_MS`, however fast it changes. */

import { useSyncExternalStore } from 'react';

/** Short enough to look immediate, long enough that 100 updates a second are 20 renderings. */
const CALM_MS = 50;

export class Store<T> {
  #value: T;
  #listeners = new Set<() => void>();
  #timer: ReturnType<typeof setTimeout> | null = null;
  #make: (() => T) | null = null;

  constructor(value: T) {
    this.#value = value;
  }

  get = () => this.#value;

  subscribe = (listener: () => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Another value; listeners hear of it now. */
  set(value: T) {
    this.#value = value;
    for (const listener of [...this.#listeners]) listener();
  }

  /** The value is made anew soon, once for all that happens until then. */
  soon(make: () => T) {
    // What was said last counts: a failure may come just after a number.
    this.#make = make;
    this.#timer ??= setTimeout(() => {
      this.#timer = null;
      this.set((this.#make ?? make)());
    }, CALM_MS);
  }
}

export function useStore<T>(store: Store<T>): T {
  return useSyncExternalStore(store.subscribe, store.get);
}

/** One part of it, a text, number or object that is kept: whoever follows it is drawn again only when that part changes. */
export function usePart<T, P>(store: Store<T>, part: (value: T) => P): P {
  return useSyncExternalStore(store.subscribe, () => part(store.get()));
}
