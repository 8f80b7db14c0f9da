import type { CSSProperties } from 'react';

import { emsOf } from './figure.ts';

/** What ticks looks so, and changes each second; only other changes are worth a glance. */
const TICKING = /:/;

/** A number as large as its box lets it be: `.figure` in `live.css` divides the box's width by the ems of the text. */
export function Figure({ text, isTicking = TICKING.test(text) }: { text: string; isTicking?: boolean }) {
  return (
    <span
      key={isTicking ? 'ticking' : text}
      className="figure"
      data-glows={!isTicking || undefined}
      style={{ '--ems': emsOf(text).toFixed(2) } as CSSProperties}
    >
      {text}
    </span>
  );
}
