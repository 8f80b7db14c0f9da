/** The moment of the past that Live and Chats show. It stands in the address, so that it can be shared: `?at=2026-03-02T13:00:00Z`. */

import { useCallback, useMemo } from 'react';
import { useLocation, useSearchParams } from 'react-router';

import { hubTime, useClockShifts } from '../hub/clock.ts';
import { setParam, useChangeParams } from './params.ts';

/** The pages that can show the past. */
const PAGES = ['/live', '/chats'];

export interface Moment {
  /** Milliseconds since 1970; null: now. */
  at: number | null;
  /** As the hub takes it. */
  iso: string | undefined;
  /** The address names a moment that is none, or none of the past. */
  wrong: boolean;
  /** Null, and what is not of the past: now. */
  go: (at: number | null) => void;
}

export function useMoment(): Moment {
  const [params] = useSearchParams();
  const change = useChangeParams();
  const { pathname } = useLocation();
  const shifts = useClockShifts();
  const told = canShowPast(pathname) ? params.get('at') : null;
  const go = useCallback(
    (at: number | null) => change((params) => setParam(params, 'at', at !== null && at < hubTime() ? isoOf(at) : '')),
    [change],
  );
  // biome-ignore lint/correctness/useExhaustiveDependencies: a clock that was set moves the hub's now
  return useMemo(() => {
    const parsed = told === null ? Number.NaN : Date.parse(told);
    const at = parsed <= hubTime() ? parsed : null;
    return { at, iso: at === null ? undefined : new Date(at).toISOString(), wrong: told !== null && at === null, go };
  }, [told, go, shifts]);
}

/** The moment in the address, which is ahead of what is drawn. */
export function addressed(): number {
  return Date.parse(new URLSearchParams(location.search).get('at') ?? '');
}

export function canShowPast(pathname: string): boolean {
  return PAGES.some((page) => pathname === page || pathname.startsWith(`${page}/`));
}

/** An address of Live or Chats at the moment that is shown. */
export function useAddress(): (address: string) => string {
  const { iso } = useMoment();
  return useCallback(
    (address) =>
      iso === undefined
        ? address
        : `${address}${address.includes('?') ? '&' : '?'}at=${encodeURIComponent(short(iso))}`,
    [iso],
  );
}

function isoOf(at: number): string {
  return short(new Date(at).toISOString());
}

/** Without milliseconds where there are none. */
function short(iso: string): string {
  return iso.replace('.000Z', 'Z');
}
