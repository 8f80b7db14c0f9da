/** Sectors by id, as far as they are known here: those of open chats. The hub keeps no list of them. */

import { useMemo } from 'react';

import { openChats } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { labelsOfSectors } from '../live/sectors.ts';

export function useSectors(): Map<string, string> {
  const { chats } = useStore(openChats);
  return useMemo(() => {
    const found = [...labelsOfSectors(chats, [])];
    return new Map(found.sort((a, b) => a[1].localeCompare(b[1])));
  }, [chats]);
}
