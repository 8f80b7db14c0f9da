import { useEffect, useState, type RefObject } from 'react';

import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';

/** Says how many rows of a list lie under its lower edge. Rows are of one height, or nearly so. */
export function Below({ box, count }: { box: RefObject<HTMLElement | null>; count: number }) {
  const say = useWords();
  const [below, setBelow] = useState(0);
  useEffect(() => {
    const list = box.current;
    if (list === null) return;
    const look = () => {
      const hidden = list.scrollHeight - list.clientHeight - list.scrollTop;
      setBelow(Math.round((hidden / Math.max(1, list.scrollHeight)) * count));
    };
    list.addEventListener('scroll', look, { passive: true });
    // It looks at once too, when the browser has laid out the rows; asked here, they would be laid out one more time.
    const sizes = new ResizeObserver(look);
    sizes.observe(list);
    return () => {
      list.removeEventListener('scroll', look);
      sizes.disconnect();
    };
  }, [box, count]);
  if (below < 1) return null;
  return (
    <span className="below" aria-hidden="true">
      {say('below', { count: number(below) })}
    </span>
  );
}
