/**
 * Reads that come in numbers are spread over time: an address may ask the hub a limited number of times a second, and
 * several screens may stand behind one address. A read that is refused for that is asked again.
 */

import hub from 'umbler-hub-client';

import { codeOf } from './errors.ts';

/** So many at once, and as many each second from then on: half of what the hub allows. */
const BURST = 20;
const GAP_MS = 1000 / 25;
const TRIES = 6;
const AGAIN_MS = 1000;
/** Nothing waits longer for what goes first. */
const FIRST_MAX_MS = 1000;

type Query = Record<string, string | number | undefined>;

let next = -Infinity;
let first: Promise<unknown> | null = null;

/**
 * What is read from now on waits until this is settled. Over HTTP/1.1 a browser asks six things at once, and what the page shows
 * first must not be the seventh.
 */
export function waitFor(settled: Promise<unknown>) {
  first = Promise.race([settled, pause(FIRST_MAX_MS)]);
}

export async function read(path: string, query?: Query): ReturnType<typeof readFirst> {
  if (first !== null) await first;
  return readFirst(path, query);
}

/** Reads what the page shows first. */
// biome-ignore lint/suspicious/noExplicitAny: what REST answers is typed by whoever asks
export async function readFirst(path: string, query?: Query): Promise<any> {
  for (let left = TRIES; ; left -= 1) {
    await turn();
    try {
      return await hub.get(path, query);
    } catch (error) {
      if (codeOf(error) !== 'too_many_requests' || left === 0) throw error;
      await pause(AGAIN_MS);
    }
  }
}

/** A page is born with its whole budget: that is when somebody waits for it. */
function turn(): Promise<void> {
  const now = performance.now();
  next = Math.max(next, now - BURST * GAP_MS) + GAP_MS;
  return next <= now ? Promise.resolve() : pause(next - now);
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
