/** The pages of the menu: their names, addresses and keys. */

export const PAGES = [
  { name: 'live', path: '/live', key: 'l' },
  { name: 'chats', path: '/chats', key: 'c' },
  { name: 'reports', path: '/reports', key: 'r' },
  { name: 'settings', path: '/settings', key: 's' },
  // Not `/health`: that is the hub's own answer, for machines, and whoever types what the menu says must get a page.
  { name: 'status', path: '/status', key: 'h' },
] as const;

export type PageName = (typeof PAGES)[number]['name'];
