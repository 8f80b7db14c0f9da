import type { ReactNode } from 'react';

import { useWords } from '../words/words.ts';
import { useFolding } from './useFolding.ts';

/** What a panel counts, for whoever wants to know; it stands behind an "i" and not above the numbers for ever. */
export function AboutThis({ of, children }: { of: string; children: ReactNode }) {
  const say = useWords();
  const box = useFolding();
  return (
    <details className="about-this" ref={box}>
      <summary aria-label={say('aboutThis', { name: of })}>
        <span aria-hidden="true">i</span>
      </summary>
      <p>{children}</p>
    </details>
  );
}
