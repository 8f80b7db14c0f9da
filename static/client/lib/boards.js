// @ts-check
/** The metrics that the hub pushes, merged into whole tables. What is handed out is never changed: a frame makes another. */

/** @import { LiveMetricsRow, Metrics, MetricsChannel, MetricsUpdate, TodayMetricsRow } from '../types.d.ts' */

/** The order of REST. */
const METRICS = [
  'firstResponse',
  'replyTime',
  'queueTime',
  'handlingTime',
  'resolution',
  'created',
  'reopened',
  'closed',
  'abandoned',
  'transferred',
  'messagesIn',
  'messagesMember',
  'messagesBot',
  'messagesExternal',
];

/** @typedef {{ id?: string | null, metric?: string }} Key */

export class Boards {
  /** @type {Map<MetricsChannel, Metrics>} */
  #held = new Map();

  /** @param {MetricsChannel} channel @returns {Metrics | null} */
  get(channel) {
    return this.#held.get(channel) ?? null;
  }

  /** Takes a frame in. @param {MetricsUpdate} frame */
  take({ channel, full, live, today, ...about }) {
    const known = full ? undefined : this.#held.get(channel);
    // Changes to nothing: it was unsubscribed from a moment ago.
    if (!full && known === undefined) return;
    this.#held.set(channel, {
      channel,
      ...about,
      live: merged(
        known?.live ?? [],
        live.rows,
        live.gone.map((id) => ({ id })),
      ),
      today: merged(known?.today ?? [], today.rows, today.gone),
    });
  }

  /** @param {Iterable<string>} channels that nobody follows any more */
  drop(channels) {
    for (const channel of channels) this.#held.delete(/** @type {MetricsChannel} */ (channel));
  }

  clear() {
    this.#held.clear();
  }
}

/** @param {Key} row */
const keyOf = ({ id = null, metric = '' }) => JSON.stringify([id, metric]);

/**
 * @template {LiveMetricsRow | TodayMetricsRow} Row
 * @param {Row[]} known @param {(Key & Partial<Row>)[]} changed @param {Key[]} gone
 * @returns {Row[]} the same where nothing changed
 */
function merged(known, changed, gone) {
  if (changed.length === 0 && gone.length === 0) return known;
  const rows = new Map(known.map((row) => [keyOf(/** @type {Key} */ (row)), row]));
  for (const row of gone) rows.delete(keyOf(row));
  let isOrdered = true;
  for (const row of changed) {
    const key = keyOf(row);
    const before = rows.get(key);
    if (before === undefined) isOrdered = false;
    rows.set(key, /** @type {Row} */ ({ ...before, ...row }));
  }
  const all = [...rows.values()];
  return isOrdered ? all : all.sort(inOrder);
}

/** By id, nobody's last, then by metric. @param {Key} one @param {Key} other */
function inOrder(one, other) {
  const [a, b] = [one.id ?? null, other.id ?? null];
  if (a !== b) return a === null ? 1 : b === null || a < b ? -1 : 1;
  return METRICS.indexOf(one.metric ?? '') - METRICS.indexOf(other.metric ?? '');
}
