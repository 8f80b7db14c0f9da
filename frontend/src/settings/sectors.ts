/** Sectors by id: those that Umbler or an admin names, and those of open chats. */

import { useMemo } from 'react';

import { givenNames, openChats } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { labelsFor } from '../live/labels.ts';

export function useSectors(): Map<string, string> {
  const { chats } = useStore(openChats);
  const given = useStore(givenNames);
  return useMemo(() => {
    const listed = [...given.values()].filter(({ what }) => what === 'sector');
    const found = [...labelsFor('sector', chats, listed, given)];
    return new Map(found.sort((a, b) => a[1].localeCompare(b[1])));
  }, [chats, given]);
}
