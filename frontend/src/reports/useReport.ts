/** What is chosen on the page, out of its address, and the question that it makes. */

import { useCallback, useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';

import { setParam, useChangeParams } from '../app/params.ts';
import { hubTime, useClockShifts } from '../hub/clock.ts';
import { useStore } from '../hub/store.ts';
import { zone as teamZone } from '../words/zone.ts';
import { earlierOf } from './compare.ts';
import { FILTERS, type Query } from './metrics.ts';
import { bucketOf, PERIODS, renewAtMidnight, spanOf, type Period, type Span } from './period.ts';

/** Where the hub has no settings, its first answer names its zone. */
const HERE = Intl.DateTimeFormat().resolvedOptions().timeZone;

export function useReport() {
  const [params] = useSearchParams();
  const change = useChangeParams();
  const [told, setTold] = useState<string | null>(null);
  const known = useStore(teamZone);
  const zone = told ?? known ?? HERE;
  const [asked, setAsked] = useState(0);
  const again = useCallback(() => setAsked((count) => count + 1), []);
  const round = asked + useClockShifts();
  // biome-ignore lint/correctness/useExhaustiveDependencies: each round has a now of its own
  const at = useMemo(hubTime, [round]);
  useEffect(() => renewAtMidnight(at, zone, again), [at, zone, again]);

  const set = useCallback(
    (changes: Record<string, string>) =>
      change((params) => {
        for (const [name, value] of Object.entries(changes)) setParam(params, name, value);
      }),
    [change],
  );

  const period: Period = PERIODS.find((one) => one === params.get('period')) ?? 'today';
  const [since, till] = [params.get('since') ?? '', params.get('till') ?? ''];
  const clock = params.get('clock') === 'business' ? 'business' : 'wall';
  const compare = params.get('compare') !== 'no';
  const filters = FILTERS.map((name) => params.get(name) ?? '').join('\n');
  const span = useMemo(() => spanOf(period, since, till, zone, at), [period, since, till, zone, at]);
  const query = useMemo((): (Query & Span) | null => {
    if (span === null) return null;
    const chosen = filters.split('\n').map((id, index) => [FILTERS[index], id || undefined]);
    return { ...span, clock: clock === 'business' ? clock : undefined, ...Object.fromEntries(chosen) };
  }, [span, clock, filters]);
  const earlier = useMemo(
    () => (compare && query !== null ? { ...query, ...earlierOf(query, zone) } : null),
    [compare, query, zone],
  );
  return {
    params,
    set,
    period,
    since,
    till,
    clock,
    compare,
    zone,
    setZone: setTold,
    query,
    /** The same question of the stretch before; null: it is not compared. */
    earlier,
    bucket: span === null ? 'day' : bucketOf(span),
    round,
    at,
    again,
  } as const;
}

export type Report = ReturnType<typeof useReport>;

/** Asks anew when the screen comes back to somebody. */
export function useRefresh(again: () => void) {
  useEffect(() => {
    let left = hubTime();
    const look = () => {
      if (document.visibilityState === 'hidden') left = hubTime();
      else if (hubTime() - left > 60_000) again();
    };
    document.addEventListener('visibilitychange', look);
    return () => document.removeEventListener('visibilitychange', look);
  }, [again]);
}
