/** Pages that are sent when they are opened: Live, which stays open all day, comes without them. */

import type { ComponentType } from 'react';

interface PageFile {
  default: ComponentType;
  /** Asks the hub for what the page shows first. */
  ahead?: () => void;
}

const FILES = {
  chats: () => import('../chats/ChatsPage.tsx'),
  reports: () => import('../reports/ReportsPage.tsx'),
  settings: () => import('../settings/SettingsPage.tsx'),
  status: () => import('../health/HealthPage.tsx'),
};

export type SentPage = keyof typeof FILES;

const arrived = new Map<SentPage, ComponentType>();

/** What draws this page, if its file is here. */
export function arrivedPage(name: SentPage): ComponentType | undefined {
  return arrived.get(name);
}

/** Loads what draws the page that is being opened. */
export async function loadPage(name: SentPage): Promise<PageFile> {
  const file: PageFile = await FILES[name]();
  file.ahead?.();
  arrived.set(name, file.default);
  return file;
}

/** The page at this address; null where every page has what draws it. */
export function sentPageAt(path: string): SentPage | null {
  const name = path.split('/')[1] ?? '';
  return Object.hasOwn(FILES, name) ? (name as SentPage) : null;
}
