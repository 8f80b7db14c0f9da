/** Sectors by id, as far as they are known here: those of open chats. The hub keeps no list of them. */

import { useMemo } from 'react';

import { openChats } from '../hub/hub.tsx';
import { newestNames } from '../hub/names.ts';
import { useStore } from '../hub/store.ts';

export function useSectors(): Map<string, string> {
  const { chats } = useStore(openChats);
  return useMemo(() => {
    const found = [...newestNames(chats, ({ sector }) => [sector])].map(([id, { name }]): [string, string] => [
      id,
      name ?? id,
    ]);
    return new Map(found.sort((a, b) => a[1].localeCompare(b[1])));
  }, [chats]);
}
