import type { CSSProperties } from 'react';

import { emsOf } from './figure.ts';

/** What ticks changes each second; only other changes are worth a glance. */
const TICKING = /:/;

/** A number as large as its box lets it be: `.figure` in `live.css` divides the box's width by the ems of the text. */
export function Figure({ text }: { text: string }) {
  return (
    <span
      key={TICKING.test(text) ? 'ticking' : text}
      className="figure"
      data-glows={!TICKING.test(text) || undefined}
      style={{ '--ems': emsOf(text).toFixed(2) } as CSSProperties}
    >
      {text}
    </span>
  );
}
