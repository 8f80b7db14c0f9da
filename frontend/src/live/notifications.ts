/**
 * A notification on the desktop for each alert: off until somebody wants it, and remembered in this browser. Of all tabs
 * of this browser one shows it. It goes when its alert is taken or over,
 * and when the data of its person are erased.
 */

import { useEffect } from 'react';
import { useNavigate } from 'react-router';
import type { Alert } from 'umbler-hub-client';
import { forBrowser } from 'umbler-hub-client/storage';

import { alerts, openChats } from '../hub/hub.tsx';
import { Store, useStore } from '../hub/store.ts';
import { agentName } from '../words/format.ts';
import { contactTitle } from '../words/people.ts';
import { useWords, type Say } from '../words/words.ts';
import { sectorNow } from './labels.ts';

const KEY = 'umbler-hub-notifications';
const TOLD_KEY = 'umbler-hub-notified';
/** Ids of alerts that are remembered as told: more than are raised while a tab sleeps. */
const TOLD_MAX = 500;
const TAG = 'alert-';

/** What stands in the way; null: nothing. */
export type Hurdle = 'unsupported' | 'insecure' | 'denied' | 'dismissed' | null;

export interface Notifications {
  on: boolean;
  hurdle: Hurdle;
}

const store = new Store<Notifications>({ on: forBrowser.getItem(KEY) === 'on' && isGranted(), hurdle: null });

export function useNotifications(): Notifications {
  return useStore(store);
}

/** Called from a click: a browser asks the user for nothing else. */
export async function switchNotifications() {
  if (store.get().on) return keep(false, null);
  const missing = missingHere();
  if (missing !== null) return keep(false, missing);
  const answer = await Notification.requestPermission();
  if (answer === 'granted') return keep(true, null);
  keep(false, answer === 'denied' ? 'denied' : 'dismissed');
}

/** Its words were read. */
export function forgetHurdle() {
  store.set({ ...store.get(), hurdle: null });
}

function keep(on: boolean, hurdle: Hurdle) {
  if (on) forBrowser.setItem(KEY, 'on');
  else forBrowser.removeItem(KEY);
  store.set({ on, hurdle });
}

function missingHere(): Hurdle {
  if (!isSecureContext) return 'insecure';
  return 'Notification' in globalThis && navigator.serviceWorker ? null : 'unsupported';
}

function isGranted(): boolean {
  return missingHere() === null && Notification.permission === 'granted';
}

/** Tells of alerts on every page, and opens the chat of one that was clicked. */
export function useAlertNotifications() {
  const { on } = useNotifications();
  const navigate = useNavigate();
  const say = useWords();
  useEffect(() => {
    if (!on) return;
    const stopRaised = alerts.onRaised((alert) => void tell(alert, say));
    const stopGone = alerts.subscribe(() => void closeOver());
    return () => {
      stopRaised();
      stopGone();
    };
  }, [on, say]);
  useEffect(() => {
    const open = ({ data }: MessageEvent) => {
      if (typeof data?.open === 'string') void navigate(data.open);
    };
    navigator.serviceWorker?.addEventListener('message', open);
    return () => navigator.serviceWorker?.removeEventListener('message', open);
  }, [navigate]);
}

async function tell(alert: Alert, say: Say) {
  const { id, kind, chatId, contactName, sector, owner } = alert;
  if (!isGranted()) return keep(false, 'denied');
  const who = contactTitle(say, { contactName, contactPhone: openChats.find(chatId)?.contactPhone });
  const worker = await navigator.serviceWorker.ready;
  // Every tab hears of each alert. They come here one after the other, and the first one tells of it.
  await navigator.locks.request(TOLD_KEY, async () => {
    if (!(await isFirst(worker, id))) return;
    await worker.showNotification(`${say(`alert_${kind}`)} · ${who}`, {
      body: [sector && sectorNow(sector), agentName(say, owner)].filter(Boolean).join(' · '),
      icon: '/icons/icon-192.png',
      tag: TAG + id,
      data: { path: `/chats/${encodeURIComponent(chatId)}` },
      // The page has a sound of its own, with a switch of its own.
      silent: true,
    });
  });
}

/** A tab in another process may not see for a moment what was written here, but it sees which notifications are shown. */
async function isFirst(worker: ServiceWorkerRegistration, id: string): Promise<boolean> {
  const told: string[] = JSON.parse(forBrowser.getItem(TOLD_KEY) ?? '[]');
  if (told.includes(id) || (await worker.getNotifications({ tag: TAG + id })).length > 0) return false;
  forBrowser.setItem(TOLD_KEY, JSON.stringify([...told, id].slice(-TOLD_MAX)));
  return true;
}

/** Alerts that this tab knew to be open, true where it knew of whom: only these are known to be over, or of somebody erased. */
let knownOpen = new Map<string, boolean>();

async function closeOver() {
  const { alerts: known } = alerts.get();
  if (known === null) return;
  const waiting = known.filter(({ acknowledgedAt }) => acknowledgedAt === null);
  const open = new Map(waiting.map((alert) => [TAG + alert.id, whoOf(alert) !== null]));
  const isOver = (tag: string, wasNamed: boolean) => !open.has(tag) || (wasNamed && open.get(tag) === false);
  const over = new Set([...knownOpen].flatMap(([tag, wasNamed]) => (isOver(tag, wasNamed) ? [tag] : [])));
  knownOpen = open;
  if (over.size === 0) return;
  const worker = await navigator.serviceWorker.getRegistration();
  const shown = (await worker?.getNotifications()) ?? [];
  for (const one of shown) if (over.has(one.tag)) one.close();
}

/** Null where nothing is known of the person, or nothing any more. */
function whoOf({ chatId, contactName }: Alert): string | null {
  return contactName ?? openChats.find(chatId)?.contactPhone ?? null;
}
