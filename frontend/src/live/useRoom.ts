import { useEffect, useState, type RefObject } from 'react';

import { roomIn, SINGLE_MAX } from './alertGroups.ts';

/**
 * How many alerts their panel has room for. It may grow to a part of its column, as `live.css` says; where it may grow as it
 * needs, the page would scroll, and they are as few as on a laptop.
 */
export function useRoom(panel: RefObject<HTMLElement | null>): number {
  const [room, setRoom] = useState(SINGLE_MAX);
  useEffect(() => {
    const [own, column] = [panel.current, panel.current?.parentElement];
    if (!own || !column) return;
    const sizes = new ResizeObserver(() => {
      const share = Number.parseFloat(getComputedStyle(own).maxHeight) / 100;
      setRoom(Number.isNaN(share) ? SINGLE_MAX : roomIn(share * column.clientHeight));
    });
    sizes.observe(column);
    return () => sizes.disconnect();
  }, [panel]);
  return room;
}
