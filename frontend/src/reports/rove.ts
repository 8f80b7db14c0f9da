/** Arrows go from cell to cell, so that a chart is one stop of the Tab key and not two hundred. */

import type { KeyboardEvent } from 'react';

const STEPS: Record<string, number> = {
  ArrowRight: 1,
  ArrowLeft: -1,
  ArrowDown: 0,
  ArrowUp: 0,
  Home: -Infinity,
  End: Infinity,
};

/** Cells bear their number in `data-rove`; `data-row` on the box says how many stand in a row. */
export function rove(event: KeyboardEvent<HTMLElement>) {
  const step = STEPS[event.key];
  const now = event.target instanceof HTMLElement ? event.target.dataset.rove : undefined;
  if (step === undefined || now === undefined) return;
  const cells = [...event.currentTarget.querySelectorAll<HTMLElement>('[data-rove]')];
  const width = Number(event.currentTarget.dataset.row ?? 0);
  const by = event.key === 'ArrowDown' ? width : event.key === 'ArrowUp' ? -width : step;
  const place = cells.findIndex(({ dataset }) => dataset.rove === now);
  const next = cells[Math.max(0, Math.min(cells.length - 1, place + by))];
  if (next === undefined) return;
  event.preventDefault();
  for (const cell of cells) cell.tabIndex = cell === next ? 0 : -1;
  next.focus();
}
