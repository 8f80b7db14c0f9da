/** What a view of the team may hold. */

import type { SavedView } from 'umbler-hub-client';

/** What was searched for may be a person, and the hub keeps what the team saves for good. */
const SEARCHED = ['search', 'in', 'message'];

/** The same view without what was searched for. */
export function forTeam({ name, address }: SavedView): SavedView {
  const [page = '', query = ''] = address.split('?');
  const params = new URLSearchParams(query);
  if (!SEARCHED.some((searched) => params.has(searched))) return { name, address };
  for (const searched of SEARCHED) params.delete(searched);
  return { name, address: params.size === 0 ? page : `${page}?${params}` };
}
