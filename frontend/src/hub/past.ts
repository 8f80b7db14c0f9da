/** The live page of a moment: the hub's own answers about it, whole before any of it is shown. */

import { samplesOf, type Sample } from '../live/trends.ts';
import { figuresOf, groupsOf, type Live, type LiveRow, type Waiting } from './waits.ts';
import { readDay, type Day } from './day-traffic.ts';
import { read } from './reads.ts';

export interface PastLive {
  at: number;
  live: Live;
  day: Day;
  trend: Sample[];
  rebuilding: { done: number; total: number } | null;
}

interface Explained {
  chatId: string;
  contactName: string | null;
  contactPhone: string | null;
  start: string;
  agent: string | null;
  sector: string | null;
  channel: string | null;
}

const PATH = '/api/umbler/metrics';
const PAGE = 200;
/** Beyond this many nobody reads them one by one, and how many are late is left blank. */
const PAGES_MAX = 10;

export async function readPast(at: string): Promise<PastLive> {
  const [live, sectors, agents, { day }, waiting, trend] = await Promise.all([
    read(`${PATH}/live`, { at }),
    read(`${PATH}/live`, { at, by: 'sector' }),
    read(`${PATH}/live`, { at, by: 'agent' }),
    readDay(at),
    readWaiting(at),
    read(`${PATH}/trend`, { until: at }),
  ]);
  const names = (rows: LiveRow[]) => new Map(rows.map(({ id, name }) => [id, name ?? null]));
  const [ofSectors, ofAgents] = [names(sectors.rows), names(agents.rows)];
  const named = (id: string | null, known: typeof ofSectors) =>
    id === null ? null : { id, name: known.get(id) ?? null };
  const found =
    waiting?.map(
      ({ chatId, contactName, contactPhone, start, agent, sector }): Waiting => ({
        id: chatId,
        contactName,
        contactPhone,
        sector: named(sector, ofSectors),
        owner: named(agent, ofAgents),
        channel: null,
        sinceMs: Date.parse(start),
      }),
    ) ?? null;
  const standing = new Map(found?.map(({ id, sector }) => [id, sector?.id ?? null]));
  const row: LiveRow = live.rows[0];
  return {
    at: Date.parse(at),
    live: {
      figures: figuresOf(row),
      waiting: found,
      sectors: groupsOf(sectors.rows, (_, { id = null }) => id),
      agents: groupsOf(agents.rows, (chat) => standing.get(chat) ?? null),
    },
    day,
    trend: samplesOf(trend.rows),
    rebuilding: live.rebuilding,
  };
}

/** Null where they are too many. */
async function readWaiting(at: string): Promise<Explained[] | null> {
  const found: Explained[] = [];
  for (let page = 1; page <= PAGES_MAX; page += 1) {
    const answer = await read(`${PATH}/live`, { at, explain: 'true', metric: 'unanswered', limit: PAGE, page });
    found.push(...answer.rows);
    if (found.length >= answer.total || answer.rows.length === 0) return found;
  }
  return null;
}
