/** How the numbers moved while this screen looked on. Nothing older is known here, and nothing is made up. */

import { openChats } from '../hub/hub.tsx';
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
  const { chats, complete } = openChats.get();
  // A part is no number; and what was seen before a gap says little about now.
  if (!complete) return;
  const direct = chats.filter(({ kind }) => kind === 'direct');
  const now: Sample = {
    at: Date.now(),
    open: direct.length,
    unanswered: direct.filter(({ waitingSince }) => waitingSince !== null).length,
    unassigned: direct.filter(({ owner }) => owner === null).length,
  };
  store.set([...store.get(), now].slice(-SAMPLES_MAX));
}

openChats.subscribe(() => {
  if (openChats.get().complete && timer === null) sample();
  // Another user may sign in next.
  if (!openChats.get().complete && openChats.get().chats.length === 0) store.set([]);
});

export function useTrends(): Sample[] {
  return useStore(store);
}
