/** What the list of chats is narrowed to. It stands in the page's address, so that a view can be bookmarked. */

import type { Chat } from 'umbler-hub-client';

export interface Filters {
  status: 'open' | 'waiting' | 'closed' | 'all';
  sector: string;
  owner: string;
  channel: string;
  tag: string;
  kind: string;
  search: string;
}

export const NAMES = ['sector', 'owner', 'channel', 'tag', 'kind'] as const;
const STATUSES = ['open', 'waiting', 'closed', 'all'] as const;

export function filtersOf(params: URLSearchParams): Filters {
  const [sector, owner, channel, tag, kind, search] = [...NAMES, 'search'].map((name) => params.get(name) ?? '') as [
    string,
    string,
    string,
    string,
    string,
    string,
  ];
  const status = STATUSES.find((known) => known === params.get('status')) ?? 'open';
  return { status, sector, owner, channel, tag, kind, search };
}

/** As the hub's own filters do it, but for the search, which is the hub's alone. */
export function matches(chat: Chat, { status, sector, owner, channel, tag, kind }: Filters): boolean {
  if (status === 'open' && !chat.open) return false;
  if (status === 'waiting' && !chat.waiting) return false;
  if (status === 'closed' && chat.open) return false;
  if (sector && chat.sector?.id !== sector) return false;
  if (owner && chat.owner?.id !== owner) return false;
  if (channel && chat.channel?.id !== channel) return false;
  if (tag && !chat.tags.some(({ id }) => id === tag)) return false;
  return !kind || chat.kind === kind;
}

/** Latest activity first. */
export function byActivity(a: Chat, b: Chat): number {
  return Date.parse(b.lastActivityAt ?? '') - Date.parse(a.lastActivityAt ?? '') || (a.id < b.id ? -1 : 1);
}
