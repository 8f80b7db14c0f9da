/** What is chosen on the page, as its address has it, and the question that it makes. */

import { earlierOf } from './compare.ts';
import { FILTERS, type Query } from './metrics.ts';
import { PERIODS, type Period, type Span } from './period.ts';

export interface Choice {
  period: Period;
  since: string;
  till: string;
  clock: 'business' | 'wall';
  compare: boolean;
  /** The ids that are asked for, in the order of `FILTERS`; empty: all. One text, so that two are compared at once. */
  filters: string;
}

export function choiceIn(params: URLSearchParams): Choice {
  return {
    period: PERIODS.find((one) => one === params.get('period')) ?? 'today',
    since: params.get('since') ?? '',
    till: params.get('till') ?? '',
    clock: params.get('clock') === 'business' ? 'business' : 'wall',
    compare: params.get('compare') !== 'no',
    filters: FILTERS.map((name) => params.get(name) ?? '').join('\n'),
  };
}

/** Null: there is no such period. */
export function queryOf(
  { clock, filters }: Pick<Choice, 'clock' | 'filters'>,
  span: Span | null,
): (Query & Span) | null {
  if (span === null) return null;
  const chosen = filters.split('\n').map((id, index) => [FILTERS[index], id || undefined]);
  return { ...span, clock: clock === 'business' ? clock : undefined, ...Object.fromEntries(chosen) };
}

/** The same question of the stretch before; null: it is not compared. */
export function earlierQuery(query: (Query & Span) | null, compare: boolean, zone: string): (Query & Span) | null {
  return compare && query !== null ? { ...query, ...earlierOf(query, zone) } : null;
}

/** The question about which hour was the worst, which the page's sentence ends with. */
export function worstHourQuery(query: Query & Span): Query {
  return { ...query, metric: 'firstResponse' };
}
