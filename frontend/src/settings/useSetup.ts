/** How far a new hub is set up, read again until it is. Only admins are told. */

import { useCallback, useEffect, useState } from 'react';

import { isMissing, reasonOf } from '../hub/errors.ts';
import { hub, useHub } from '../hub/hub.tsx';

export const PATH = '/api/umbler/setup';
const READ_MS = 2000;

export interface Setup {
  /** No delivery has ever come. */
  isEmpty: boolean;
  lastWebhookAt: string | null;
  hasSecret: boolean;
  token: 'environment' | 'stored' | null;
}

export function useSetup() {
  const { isConnected } = useHub();
  const [setup, setSetup] = useState<Setup | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  const read = useCallback(async () => {
    try {
      setSetup((await hub.get(PATH)) as Setup);
      setFailure(null);
    } catch (error) {
      setFailure(reasonOf(error));
    }
  }, []);
  const isWaiting = setup === null || setup.isEmpty;
  useEffect(() => {
    if (isConnected) void read();
    if (!isWaiting) return;
    const timer = setInterval(() => void read(), READ_MS);
    return () => clearInterval(timer);
  }, [isConnected, isWaiting, read]);
  return { setup, failure, again: () => void read() };
}

/** True for a hub to which nothing was ever posted; null where it cannot be told, or nobody but an admin is told. */
export async function isNewHub(): Promise<boolean | null> {
  try {
    return ((await hub.get(PATH)) as Setup).isEmpty;
  } catch (error) {
    return isMissing(error) ? false : null;
  }
}
