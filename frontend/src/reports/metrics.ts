/** The metrics as the hub answers them. */

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
  query: Query;
}

export function isDuration(metric: Metric): metric is Duration {
  return DURATIONS.some((known) => known === metric);
}

/** A metric that the address names; else the usual one. */
export function metricIn<M extends Metric>(name: string | null, known: readonly M[], usual: M): M {
  return known.find((one) => one === name) ?? usual;
}
