/** Questions to the hub's metrics. One that was asked ahead is not asked a second time. */

import { read } from '../hub/reads.ts';
import type { Query } from './metrics.ts';

export const PATH = '/api/umbler/metrics';

const ahead = new Map<string, Promise<unknown>>();

export function ask<T>(path: string, query: Query): Promise<T> {
  const key = keyOf(path, query);
  const asked = ahead.get(key) as Promise<T> | undefined;
  ahead.delete(key);
  return asked ?? read(PATH + path, query);
}

/** Asks what a part of the page will ask. Whoever asks first has the answer; others ask again. */
export function askAhead(path: string, query: Query) {
  const answer = read(PATH + path, query);
  // Whoever asks for it is told what went wrong.
  answer.catch(() => {});
  ahead.set(keyOf(path, query), answer);
}

function keyOf(path: string, query: Query): string {
  return path + JSON.stringify(query);
}
