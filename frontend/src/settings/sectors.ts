/** Sectors by id, as far as they are known here: those of open chats. The hub keeps no list of them. */

import { useMemo } from 'react';

import { openChats } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';

export function useSectors(): Map<string, string> {
  const { chats } = useStore(openChats);
  return useMemo(() => {
    const found = chats.flatMap(({ sector }): [string, string][] => (sector ? [[sector.id, sector.name ?? sector.id]] : []));
    return new Map(found.sort((a, b) => a[1].localeCompare(b[1])));
  }, [chats]);
}
