/** Questions to the hub's metrics. One that was asked ahead is not asked a second time. */

import { read, readFirst } from '../hub/reads.ts';
import type { Query } from './metrics.ts';

export const PATH = '/api/umbler/metrics';

interface Ahead {
  answer: Promise<unknown>;
  /** The answer, once it is here. */
  here?: { value: unknown };
}

const ahead = new Map<string, Ahead>();

export function ask<T>(path: string, query: Query): Promise<T> {
  const key = keyOf(path, query);
  const asked = ahead.get(key)?.answer as Promise<T> | undefined;
  ahead.delete(key);
  return asked ?? read(PATH + path, query);
}

/**
 * Asks what a part of the page will ask. Whoever asks first has the answer; others ask again. Settled once it is answered or
 * refused.
 */
export async function askAhead(path: string, query: Query): Promise<void> {
  const asked: Ahead = { answer: readFirst(PATH + path, query) };
  ahead.set(keyOf(path, query), asked);
  try {
    asked.here = { value: await asked.answer };
  } catch {
    // Whoever asks for it is told what went wrong.
  }
}

/** What was asked ahead and is answered already; null where it is not. It stays until it is asked for. */
export function answeredAhead<T>(path: string, query: Query): { value: T } | null {
  return (ahead.get(keyOf(path, query))?.here as { value: T } | undefined) ?? null;
}

/** What was asked ahead is drawn: whoever asks it once more wants news. */
export function dropAhead(path: string, query: Query) {
  ahead.delete(keyOf(path, query));
}

function keyOf(path: string, query: Query): string {
  return path + JSON.stringify(query);
}
