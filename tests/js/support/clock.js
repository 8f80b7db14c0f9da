/** A clock that stands still until a test moves it, and surroundings of a client that go by it. */

import WebSocket from 'ws';

export class Clock {
  time = Date.UTC(2026, 2, 2, 13);
  #timers = new Map();
  #next = 1;

  runtime(more = {}) {
    return {
      now: () => this.time,
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

  /** The machine sleeps: time passes, and timers do not notice. */
  sleep(ms) {
    this.time += ms;
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
