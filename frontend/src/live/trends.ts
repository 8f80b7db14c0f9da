/**
 * How the numbers moved: since midnight as the hub's history has it, else while this screen looked on. Nothing is made up
 * between the two.
 */

import { useEffect, useState } from 'react';
import type { UmblerHubClient } from 'umbler-hub-client';

import { hub, openChats, useHub } from '../hub/hub.tsx';
import type { OpenChats } from '../hub/open-chats.ts';
import { read } from '../hub/reads.ts';
import { Store, useStore } from '../hub/store.ts';

export interface Sample {
  at: number;
  open?: number;
  unanswered?: number;
  unassigned?: number;
}

const EVERY_MS = 20_000;
/** Half an hour. */
const SAMPLES_MAX = 90;

const store = new Store<Sample[]>([]);
let timer: ReturnType<typeof setTimeout> | null = null;

function sample() {
  timer = setTimeout(sample, EVERY_MS);
  const now = sampleOf(hub, openChats.get());
  if (now !== null) store.set([...store.get(), now].slice(-SAMPLES_MAX));
}

/** Null where the numbers are not those of now: a part is no number, and neither is what was seen before an outage. */
export function sampleOf(client: UmblerHubClient, { chats, waiting, complete }: OpenChats): Sample | null {
  if (!complete || !client.isLive) return null;
  const direct = chats.filter(({ kind }) => kind === 'direct');
  return {
    at: client.hubTime(),
    open: direct.length,
    unanswered: waiting.length,
    unassigned: direct.filter(({ owner }) => owner === null).length,
  };
}

openChats.subscribe(() => {
  if (openChats.get().complete && timer === null) sample();
  // Another user may sign in next.
  if (!openChats.get().complete && openChats.get().chats.length === 0) store.set([]);
});

export function useTrends(): Sample[] {
  return useStore(store);
}

const PATH = '/api/umbler/metrics/trend';
/** So often the day is read anew; in between this screen's own samples go on. */
const AGAIN_MS = 600_000;
const RETRY_MS = 30_000;

/** Open and unassigned chats since midnight; empty where the hub does not tell. */
export function useTrendOfDay(): Sample[] {
  const { isConnected } = useHub();
  const [day, setDay] = useState<Sample[]>([]);
  const samples = useTrends();
  useEffect(() => {
    if (!isConnected) return;
    let timer: ReturnType<typeof setTimeout>;
    let over = false;
    const ask = async () => {
      const rows = await read(PATH).then(
        (answer) => samplesOf(answer.rows),
        () => null,
      );
      if (over) return;
      if (rows !== null) setDay(rows);
      timer = setTimeout(() => void ask(), rows === null ? RETRY_MS : AGAIN_MS);
    };
    void ask();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [isConnected]);
  const last = day.at(-1)?.at ?? 0;
  return [...day, ...samples.filter(({ at }) => at > last)];
}

/** `waiting` is the provider's list, which is not who waits for an answer. */
export function samplesOf(rows: { at: string; open: number; unassigned: number }[]): Sample[] {
  return rows.map(({ at, open, unassigned }) => ({ at: Date.parse(at), open, unassigned }));
}
