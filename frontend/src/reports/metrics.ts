/** The metrics as the hub answers them, and one question to it. */

import { startTransition, useCallback, useEffect, useLayoutEffect, useState } from 'react';

import { isMissing, reasonOf } from '../hub/errors.ts';
import { useHub } from '../hub/hub.tsx';
import { ask } from './ask.ts';

export const DURATIONS = ['firstResponse', 'replyTime', 'queueTime', 'handlingTime', 'resolution'] as const;
export const COUNTS = [
  'created',
  'reopened',
  'closed',
  'abandoned',
  'transferred',
  'messagesIn',
  'messagesMember',
  'messagesBot',
  'messagesExternal',
] as const;
export const GROUPS = ['agents', 'sectors', 'channels', 'tags'] as const;
export const FILTERS = ['sector', 'agent', 'channel', 'tag'] as const;
export type Duration = (typeof DURATIONS)[number];
export type Metric = Duration | (typeof COUNTS)[number];
export type Grouping = (typeof GROUPS)[number];
export type Query = Record<string, string | number | undefined>;

export interface Row {
  metric: Metric;
  n: number;
  medianMs: number | null;
  meanMs: number | null;
  p75Ms: number | null;
  p90Ms: number | null;
  p95Ms: number | null;
  maxMs: number | null;
  /** Of the stretch before, where it was asked for and is here: put in by this page. */
  previousN?: number;
  previousMedianMs?: number | null;
  /** `/series`. */
  start?: string;
  end?: string;
  /** `/heatmap`: 1 is Monday. */
  weekday?: number;
  hour?: number;
  /** Groups. */
  id?: string | null;
  name?: string | null;
}

export interface Answer {
  asOfSeq: number;
  rebuilding: { done: number; total: number } | null;
  from: string;
  until: string;
  timezone: string;
  rows: Row[];
}

/** A number that was clicked: what to ask for the chats behind it. */
export interface Cell {
  metric: Metric;
  title: string;
  query: Query;
}

export function isDuration(metric: Metric): metric is Duration {
  return DURATIONS.some((known) => known === metric);
}

export interface Asked<T> {
  answer: T | null;
  /** The answer to the same question of the stretch before; null where that was not asked, or is not to be had. */
  previous: T | null;
  busy: boolean;
  failure: string | null;
  missing: boolean;
  again: () => void;
}

type State<T> = Omit<Asked<T>, 'again'> & { of: string };

/**
 * Asks, and asks again when the question is another one. What was answered stays until then, unless it is of something
 * else: `of` says of what. A null question is none. `earlier` is asked with it, and both are told at once: an answer is
 * never shown beside one to another question. Over HTTP/1.1 a browser asks six things at once, and those of a page's parts
 * before its own: `isFirst` is asked before all others.
 */
export function useAnswer<T>(
  path: string,
  query: Query | null,
  round = 0,
  of = path,
  earlier: Query | null = null,
  isFirst = false,
): Asked<T> {
  const { isConnected } = useHub();
  const [begun, setBegun] = useState(isConnected);
  if (isConnected && !begun) setBegun(true);
  const [state, setState] = useState<State<T>>({
    answer: null,
    previous: null,
    busy: true,
    failure: null,
    missing: false,
    of,
  });
  const [tries, setTries] = useState(0);
  const key = query === null ? null : JSON.stringify([query, earlier]);
  const useAsking = isFirst ? useLayoutEffect : useEffect;
  // `tries` and `round` ask once more.
  useAsking(() => {
    if (!begun || key === null) return;
    let over = false;
    setState((before) => (before.busy ? before : { ...before, busy: true }));
    const [now, before] = JSON.parse(key);
    // Seven answers come at about the same time: what they change is drawn in slices, between which the page can be used.
    const settle = (next: (before: State<T>) => State<T>) => !over && startTransition(() => setState(next));
    Promise.all([
      ask<T>(path, now),
      // Without it there is no comparison, and everything else is as it is.
      before === null ? null : ask<T>(path, before).catch(() => null),
    ]).then(
      ([answer, previous]) => settle(() => ({ answer, previous, busy: false, failure: null, missing: false, of })),
      (error) =>
        settle((before) => ({
          ...before,
          busy: false,
          missing: isMissing(error),
          failure: isMissing(error) ? null : reasonOf(error),
          of,
        })),
    );
    return () => {
      over = true;
    };
  }, [path, key, begun, tries, round, of]);
  const stale = state.of === of ? {} : { answer: null, previous: null, busy: true, failure: null };
  return { ...state, ...stale, again: useCallback(() => setTries((before) => before + 1), []) };
}
