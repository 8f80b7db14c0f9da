import { useEffect, useState, type RefObject } from 'react';

import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';

interface BelowProps {
  box: RefObject<HTMLElement | null>;
  /** How many rows there are. */
  count: number;
  /** Finds the rows where they are few and of different heights; else all are of one height, or nearly so. */
  rows?: string;
}

/** Says how many rows of a list lie under its lower edge. */
export function Below({ box, count, rows }: BelowProps) {
  const say = useWords();
  const [below, setBelow] = useState(0);
  useEffect(() => {
    const list = box.current;
    if (list === null) return;
    const look = () => {
      if (rows !== undefined) {
        const edge = list.getBoundingClientRect().bottom;
        const isBelow = (row: Element) => row.getBoundingClientRect().bottom > edge + 1;
        setBelow([...list.querySelectorAll(rows)].filter(isBelow).length);
        return;
      }
      const hidden = list.scrollHeight - list.clientHeight - list.scrollTop;
      setBelow(Math.round((hidden / Math.max(1, list.scrollHeight)) * count));
    };
    list.addEventListener('scroll', look, { passive: true });
    // It looks at once too, when the browser has laid out the rows; asked here, they would be laid out one more time.
    const sizes = new ResizeObserver(look);
    sizes.observe(list);
    for (const part of list.children) sizes.observe(part);
    return () => {
      list.removeEventListener('scroll', look);
      sizes.disconnect();
    };
  }, [box, count, rows]);
  if (below < 1) return null;
  return (
    <span className="below" aria-hidden="true">
      {say('below', { count: number(below) })}
    </span>
  );
}
