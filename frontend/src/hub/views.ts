/**
 * Views: an address of the dashboard under a name. One's own are kept in this browser; the team's are among the hub's settings,
 * so that every screen has them and the journal keeps them.
 */

import type { SavedView } from 'umbler-hub-client';
import { forBrowser } from 'umbler-hub-client/storage';

import { codeOf } from './errors.ts';
import { hub, settings } from './hub.tsx';
import { PATH } from './settings.ts';
import { Store } from './store.ts';
import { forTeam } from './team-view.ts';

const KEY = 'umbler-hub-views';
/** As many as the hub lets a team have. */
export const VIEWS_MAX = 50;
export const NAME_MAX = 60;
/** The pages whose address says all of what they show. */
const PAGES = ['/live', '/chats', '/reports'];
/** A moment that passes is no part of a view. */
const PASSING = ['at'];

export const ownViews = new Store<SavedView[]>(kept());

/** What a view of this page would be; null where the page has nothing to save. */
export function viewAddress(pathname: string, search: string): string | null {
  const page = PAGES.find((known) => pathname === known || pathname.startsWith(`${known}/`));
  if (page === undefined) return null;
  const params = new URLSearchParams(search);
  for (const name of PASSING) params.delete(name);
  const query = params.toString();
  return query === '' ? page : `${page}?${query}`;
}

/** The same name again is the same view. */
export function withView(views: SavedView[], view: SavedView): SavedView[] {
  const isThere = views.some(({ name }) => name === view.name);
  return isThere ? views.map((one) => (one.name === view.name ? view : one)) : [...views, view];
}

export function keepOwn(views: SavedView[]) {
  forBrowser.setItem(KEY, JSON.stringify(views));
  ownViews.set(views);
}

/** Changes the team's views, and nothing else of the settings, whoever else saves meanwhile. */
export async function changeTeam(change: (views: SavedView[]) => SavedView[]) {
  for (;;) {
    const { settings: known, seq } = settings.get();
    if (known === null) return;
    const body = { ...known, views: change(known.views ?? []).map(forTeam) };
    try {
      settings.take(await hub.send('PUT', PATH, body, undefined, { ifMatch: `"${seq ?? 0}"` }));
      return;
    } catch (error) {
      if (codeOf(error) !== 'settings_changed') throw error;
      const before = seq;
      await settings.read();
      // What they saved could not be read: to try again would not end.
      if (settings.get().seq === before) throw error;
    }
  }
}

/** What this browser holds, whatever an older or another page wrote there. */
function kept(): SavedView[] {
  try {
    const found: unknown = JSON.parse(forBrowser.getItem(KEY) ?? '[]');
    return Array.isArray(found) ? found.filter(isView).slice(0, VIEWS_MAX) : [];
  } catch {
    return [];
  }
}

function isView(one: unknown): one is SavedView {
  const { name, address } = (one ?? {}) as Record<string, unknown>;
  return typeof name === 'string' && typeof address === 'string' && /^\/(live|chats|reports)(\?|$)/.test(address);
}
