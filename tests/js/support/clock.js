/** Clocks that stand still until a test moves them, and surroundings of a client that go by them. */

import WebSocket from 'ws';

export class Clock {
  /** What every clock that is right shows. */
  time = Date.UTC(2026, 2, 2, 13);
  /** How far the machine's clock is ahead of that. */
  #ahead = 0;
  /** How long the machine has slept: the steady clock stood still. */
  #slept = 0;
  #timers = new Map();
  #next = 1;

  runtime(more = {}) {
    return {
      now: () => this.time + this.#ahead,
      steady: () => this.time - this.#slept,
      random: () => 0.5,
      setTimeout: (run, ms) => {
        this.#timers.set(this.#next, { at: this.time + Math.max(0, ms), run });
        return this.#next++;
      },
      clearTimeout: (id) => this.#timers.delete(id),
      WebSocket,
      fetch: globalThis.fetch,
      storage: null,
      window: null,
      document: null,
      pageUrl: null,
      ...more,
    };
  }

  /** Milliseconds until the timers that wait, sorted. */
  get waiting() {
    return [...this.#timers.values()].map(({ at }) => at - this.time).sort((a, b) => a - b);
  }

  /** Somebody sets the machine's clock: forward, or back where `ms` is below zero. */
  set(ms) {
    this.#ahead += ms;
  }

  /** The machine sleeps: time passes, and neither timers nor the steady clock notice. */
  sleep(ms) {
    this.time += ms;
    this.#slept += ms;
    for (const timer of this.#timers.values()) timer.at += ms;
  }

  /** Lets time pass; what is due runs in order. */
  pass(ms) {
    const until = this.time + ms;
    for (;;) {
      const due = [...this.#timers].filter(([, { at }]) => at <= until).sort((a, b) => a[1].at - b[1].at)[0];
      if (due === undefined) break;
      const [id, { at, run }] = due;
      this.#timers.delete(id);
      this.time = at;
      run();
    }
    this.time = until;
  }
}

/** sessionStorage in memory. */
export function storage() {
  const items = new Map();
  return {
    getItem: (key) => items.get(key) ?? null,
    setItem: (key, value) => items.set(key, String(value)),
    removeItem: (key) => items.delete(key),
    items,
  };
}
