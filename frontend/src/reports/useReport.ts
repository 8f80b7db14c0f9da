/** What is chosen on the page, out of its address, and the question that it makes. */

import { useCallback, useEffect, useMemo, useState } from 'react';
import { useSearchParams } from 'react-router';

import { setParam, useChangeParams } from '../app/params.ts';
import { hubTime, useClockShifts } from '../hub/clock.ts';
import { useStore } from '../hub/store.ts';
import { zone as teamZone } from '../words/zone.ts';
import { openingTime } from './opening.ts';
import { bucketOf, HERE, renewAtMidnight, spanOf } from './period.ts';
import { choiceIn, earlierQuery, queryOf } from './question.ts';

export function useReport() {
  const [params] = useSearchParams();
  const change = useChangeParams();
  const [told, setTold] = useState<string | null>(null);
  const known = useStore(teamZone);
  const zone = told ?? known ?? HERE;
  const [asked, setAsked] = useState(0);
  const again = useCallback(() => setAsked((count) => count + 1), []);
  const round = asked + useClockShifts();
  // Each round has a now of its own.
  const at = useMemo(() => (round === 0 ? openingTime() : hubTime()), [round]);
  useEffect(() => renewAtMidnight(at, zone, again), [at, zone, again]);

  const set = useCallback(
    (changes: Record<string, string>) =>
      change((params) => {
        for (const [name, value] of Object.entries(changes)) setParam(params, name, value);
      }),
    [change],
  );

  const { period, since, till, clock, compare, filters } = choiceIn(params);
  const span = useMemo(() => spanOf(period, since, till, zone, at), [period, since, till, zone, at]);
  const query = useMemo(() => queryOf({ clock, filters }, span), [span, clock, filters]);
  const earlier = useMemo(() => earlierQuery(query, compare, zone), [compare, query, zone]);
  // What stays the same where the same choice is asked for anew: the end of a stretch that is not over moves on.
  const choice = useMemo(
    () => JSON.stringify([period, span?.from, period === 'custom' && till, clock, filters, compare, zone]),
    [period, span, till, clock, filters, compare, zone],
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
    choice,
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
