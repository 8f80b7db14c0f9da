/**
 * What the page's sentence tells is asked for as soon as the page's file is here: a phone takes half a second to draw the page, and
 * only then would its parts ask.
 */

import hub from 'umbler-hub-client';

import { hubTime } from '../hub/clock.ts';
import { waitFor } from '../hub/reads.ts';
import { zone as teamZone } from '../words/zone.ts';
import { askAhead } from './ask.ts';
import { HERE, spanOf } from './period.ts';
import { choiceIn, earlierQuery, queryOf, worstHourQuery } from './question.ts';

/** So long after it was asked ahead, the page that is drawn is the one that it was asked for. */
const OPENING_MS = 10_000;

let openedAt: number | null = null;
/** There is no connection yet. The page may be drawn before there is, and its moment is then that of the questions. */
let isAwaited = false;

/** The moment of the questions that are asked ahead, while the page is being opened; else now. */
export function openingTime(): number {
  const now = hubTime();
  if (openedAt !== null && Math.abs(now - openedAt) < OPENING_MS) return openedAt;
  if (isAwaited) openedAt = now;
  return now;
}

/**
 * Asks once there is a connection: it tells the hub's time, and what it refuses is not asked for. Settled once everything is
 * answered or refused.
 */
export async function askFirst(params: URLSearchParams): Promise<void> {
  if (!hub.isConnected) {
    isAwaited = true;
    const open = connected();
    // All that waits for the connection asks as soon as there is one.
    waitFor(open.then(() => new Promise((resolve) => setTimeout(resolve))));
    await open;
  }
  await askNow(params);
}

function connected(): Promise<void> {
  return new Promise((resolve) => {
    const stop = hub.on('status', (status: string) => {
      if (status !== 'connected') return;
      stop();
      resolve();
    });
  });
}

async function askNow(params: URLSearchParams) {
  openedAt = isAwaited ? openingTime() : hubTime();
  isAwaited = false;
  const choice = choiceIn(params);
  const zone = teamZone.get() ?? HERE;
  const query = queryOf(choice, spanOf(choice.period, choice.since, choice.till, zone, openedAt));
  if (query === null) return;
  const earlier = earlierQuery(query, choice.compare, zone);
  await Promise.all([
    askAhead('/summary', query),
    earlier && askAhead('/summary', earlier),
    askAhead('/heatmap', worstHourQuery(query)),
  ]);
}
