/** Pages that are sent when they are opened: Live, which stays open all day, comes without them. */

import type { ComponentType } from 'react';

interface PageFile {
  default: ComponentType;
  /** Asks the hub for what the page shows first. Settled once that is here, or is not to be had. */
  ahead?: () => Promise<void>;
}

const FILES = {
  chats: () => import('../chats/ChatsPage.tsx'),
  reports: () => import('../reports/ReportsPage.tsx'),
  settings: () => import('../settings/SettingsPage.tsx'),
  status: () => import('../health/HealthPage.tsx'),
};

export type SentPage = keyof typeof FILES;

const arrived = new Map<SentPage, ComponentType>();
const asked = new Map<SentPage, Promise<void>>();

/** What draws this page, if its file is here. */
export function arrivedPage(name: SentPage): ComponentType | undefined {
  return arrived.get(name);
}

/** Loads what draws the page that is being opened. */
export async function loadPage(name: SentPage): Promise<PageFile> {
  const file: PageFile = await FILES[name]();
  const first = file.ahead?.();
  if (first !== undefined) asked.set(name, first);
  arrived.set(name, file.default);
  return file;
}

/** Settled once what the page shows first is here; at once where nothing was asked for. */
export async function firstAnswers(name: SentPage): Promise<void> {
  await asked.get(name);
}

/** The page at this address; null where every page has what draws it. */
export function sentPageAt(path: string): SentPage | null {
  const name = path.split('/')[1] ?? '';
  return Object.hasOwn(FILES, name) ? (name as SentPage) : null;
}
