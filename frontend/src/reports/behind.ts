/**
 * The number whose chats are shown, as the address has it: `replyTime`, or `replyTime;weekday=1;hour=14`. So it can be shared, and is
 * there again for whoever comes back from one of its chats.
 */

import { useCallback, useMemo } from 'react';
import { useLocation, useNavigate, useSearchParams } from 'react-router';

import { setParam } from '../app/params.ts';
import { agentName } from '../words/format.ts';
import type { Say } from '../words/words.ts';
import { binLabel, bucketLabel, hourLabel } from './labels.ts';
import { COUNTS, DURATIONS, FILTERS, type Cell } from './metrics.ts';
import type { ReportLabels } from './Named.tsx';
import type { Report } from './useReport.ts';

const PARAM = 'behind';
/** What a number may be of, beside all that is chosen on the page. */
const PARTS = ['from', 'until', 'weekday', 'hour', 'atLeastMs', 'belowMs', ...FILTERS] as const;

/** Null: there is no such number. */
export function cellIn(text: string | null): Cell | null {
  const [name, ...parts] = (text ?? '').split(';');
  const metric = [...DURATIONS, ...COUNTS].find((one) => one === name);
  if (metric === undefined) return null;
  const given = new Map(parts.map((part) => [part.split('=')[0], decode(part.slice(part.indexOf('=') + 1))]));
  const query = Object.fromEntries(PARTS.flatMap((part) => (given.has(part) ? [[part, given.get(part)]] : [])));
  return { metric, query };
}

export function cellText({ metric, query }: Cell): string {
  const parts = PARTS.flatMap((part) =>
    query[part] === undefined ? [] : [`;${part}=${encodeURIComponent(query[part])}`],
  );
  return metric + parts.join('');
}

/** What the number is called: its metric, and what it is of. */
export function cellTitle(
  say: Say,
  { metric, query }: Cell,
  { bucket, zone }: Pick<Report, 'bucket' | 'zone'>,
  labels: ReportLabels,
): string {
  const { from, weekday, hour, atLeastMs, belowMs } = query;
  const filter = FILTERS.find((one) => query[one] !== undefined);
  const id = filter === undefined ? '' : String(query[filter]);
  const of = [
    from !== undefined && bucketLabel(String(from), bucket, zone),
    weekday !== undefined && hourLabel(Number(weekday), Number(hour ?? 0)),
    atLeastMs !== undefined && binLabel(say, Number(atLeastMs), belowMs === undefined ? null : Number(belowMs)),
    filter !== undefined && (labels[filter].get(id) ?? (filter === 'agent' ? agentName(say, { id, name: null }) : id)),
  ];
  return [say(`m_${metric}`), ...of].filter(Boolean).join(' · ');
}

/** The number in the address, and how to open and close it. Whoever opens it can go back to the page as it was. */
export function useBehind() {
  const [params] = useSearchParams();
  const { state } = useLocation();
  const navigate = useNavigate();
  const text = params.get(PARAM);
  const cell = useMemo(() => cellIn(text), [text]);
  const open = useCallback(
    (next: Cell) => void navigate({ search: searchWith(cellText(next)) }, { state: { isOpened: true } }),
    [navigate],
  );
  const isOpened = state?.isOpened === true;
  const close = useCallback(
    () => void (isOpened ? navigate(-1) : navigate({ search: searchWith('') }, { replace: true })),
    [navigate, isOpened],
  );
  return { cell, open, close };
}

function searchWith(value: string): string {
  const params = new URLSearchParams(window.location.search);
  setParam(params, PARAM, value);
  return params.toString();
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
