/** What the user may do. The hub decides; the page only leaves out what would be refused. */

import type { User } from 'umbler-hub-client';

import { useHub } from './hub.tsx';

/** Where the hub asks nobody who they are, everybody may do everything. */
export function useRole(): User['role'] {
  const { client } = useHub();
  if (client.hello !== null && !client.hello.authRequired) return 'admin';
  return client.user?.role ?? 'viewer';
}

/** False until the hub has said whether it asks who somebody is, and who this one is if it does. */
export function useIsRoleKnown(): boolean {
  const { client } = useHub();
  return client.hello !== null && (!client.hello.authRequired || client.user !== null);
}
