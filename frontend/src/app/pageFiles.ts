/** Pages that are sent when they are opened: Live, which stays open all day, comes without them. */

export const PAGE_FILES = {
  chats: () => import('../chats/ChatsPage.tsx'),
  reports: () => import('../reports/ReportsPage.tsx'),
  settings: () => import('../settings/SettingsPage.tsx'),
  status: () => import('../health/HealthPage.tsx'),
};

/** What draws the page at this address; undefined where every page has it. */
export function pageAt(path: string): (() => Promise<unknown>) | undefined {
  const name = path.split('/')[1] ?? '';
  return Object.hasOwn(PAGE_FILES, name) ? PAGE_FILES[name as keyof typeof PAGE_FILES] : undefined;
}
