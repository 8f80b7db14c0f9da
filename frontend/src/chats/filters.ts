/** What the list of chats is narrowed to. It stands in the page's address, so that a view can be bookmarked. */

import { sortKey, type Chat } from 'umbler-hub-client';

import { inOrder } from '../hub/in-order.ts';

export interface Filters {
  status: 'open' | 'waiting' | 'closed' | 'all';
  sector: string;
  owner: string;
  channel: string;
  tag: string;
  kind: string;
  /** `reply`: the customer waits for an answer; `late`: for longer than the sector's limit. */
  wait: string;
  search: string;
}

export const NAMES = ['sector', 'owner', 'channel', 'tag', 'kind', 'wait'] as const;
/** Chats that nobody has. The hub's own filter knows agents alone, so this is for what is here already. */
export const NOBODY = 'none';
export const WAITS = ['reply', 'late'] as const;
const STATUSES = ['open', 'waiting', 'closed', 'all'] as const;

export function filtersOf(params: URLSearchParams): Filters {
  const [sector, owner, channel, tag, kind, wait, search] = [...NAMES, 'search'].map(
    (name) => params.get(name) ?? '',
  ) as [string, string, string, string, string, string, string];
  const status = STATUSES.find((known) => known === params.get('status')) ?? 'open';
  const filters = { status, sector, owner, channel, tag, kind, wait, search };
  return isLocal(filters) ? filters : ofTheHub(filters);
}

/** All chats that it can find are here already. */
export function isLocal({ status, search }: Filters): boolean {
  return (status === 'open' || status === 'waiting') && search === '';
}

/** Without what only this page knows to narrow to. */
export function ofTheHub(filters: Filters): Filters {
  return { ...filters, owner: filters.owner === NOBODY ? '' : filters.owner, wait: '' };
}

/** As the hub's own filters do it, but for the search, which is the hub's alone. */
export function matches(chat: Chat, { status, sector, owner, channel, tag, kind, wait }: Filters): boolean {
  if (status === 'open' && !chat.open) return false;
  if (status === 'waiting' && !chat.waiting) return false;
  if (status === 'closed' && chat.open) return false;
  if (sector && chat.sector?.id !== sector) return false;
  if (owner && (owner === NOBODY ? chat.owner !== null : chat.owner?.id !== owner)) return false;
  if (wait && !waits(chat)) return false;
  if (channel && chat.channel?.id !== channel) return false;
  if (tag && !chat.tags.some(({ id }) => id === tag)) return false;
  return !kind || chat.kind === kind;
}

const activeAt = momentOf(({ lastActivityAt }) => lastActivityAt);
const waitsSince = momentOf(({ waitingSince }) => waitingSince);

/** Latest activity first, to the nanosecond; of one moment the later id, as the hub lists them. */
export function byActivity(a: Chat, b: Chat): number {
  return inOrder(activeAt(b), activeAt(a)) || inOrder(b.id, a.id);
}

/** The longest wait first. */
export function byWait(a: Chat, b: Chat): number {
  return inOrder(waitsSince(a), waitsSince(b)) || inOrder(a.id, b.id);
}

/** A moment of a chat as text that sorts. Made once, for sorting asks for each many times. */
function momentOf(of: (chat: Chat) => string | null): (chat: Chat) => string {
  const known = new WeakMap<Chat, string>();
  return (chat) => {
    const before = known.get(chat);
    if (before !== undefined) return before;
    const at = sortKey(of(chat));
    known.set(chat, at);
    return at;
  };
}

export function waits({ kind, open, waitingSince }: Chat): boolean {
  return kind === 'direct' && open && waitingSince !== null;
}
