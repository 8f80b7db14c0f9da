/** A list of any length is one stop of the Tab key: arrows, Home and End go from row to row in it. */

import type { Virtualizer } from '@tanstack/react-virtual';
import { useState, type FocusEvent, type KeyboardEvent } from 'react';

type Rows = Virtualizer<HTMLDivElement, Element>;

/**
 * `chosen` is the key of the row to begin with; without one, or while it is not in sight, the first that is. A place that
 * `isEmpty` is passed over.
 */
export function useListKeys(
  rows: Rows,
  count: number,
  chosen?: string,
  isEmpty: (index: number) => boolean = () => false,
) {
  const [last, setLast] = useState<string | null>(null);
  const items = rows.getVirtualItems();
  const isThere = (key: string | null | undefined) => items.some((item) => item.key === key);
  const stop = isThere(last) ? last : isThere(chosen) ? chosen : items[0]?.key;

  function onKeyDown(event: KeyboardEvent<HTMLDivElement>) {
    const step = { ArrowDown: 1, ArrowUp: -1, Home: -count, End: count }[event.key];
    const row = placeOf(document.activeElement);
    if (step === undefined || row === null) return;
    event.preventDefault();
    const box = event.currentTarget;
    let next = Math.min(count - 1, Math.max(0, row + step));
    // Towards the end that was asked for, and from there back.
    while (isEmpty(next) && next + Math.sign(step) >= 0 && next + Math.sign(step) < count) next += Math.sign(step);
    while (isEmpty(next) && next !== row) next -= Math.sign(step);
    rows.scrollToIndex(next);
    // The row may have to be made first.
    requestAnimationFrame(() =>
      requestAnimationFrame(() => box.querySelector<HTMLElement>(`li[aria-posinset="${next + 1}"] a`)?.focus()),
    );
  }

  function onFocus({ target }: FocusEvent) {
    const place = placeOf(target);
    const key = items.find(({ index }) => index === place)?.key;
    if (typeof key === 'string') setLast(key);
  }

  return { box: { onKeyDown, onFocus }, isStop: (key: unknown) => key === stop };
}

function placeOf(element: Element | null): number | null {
  const place = element?.closest('li')?.getAttribute('aria-posinset');
  return place == null ? null : Number(place) - 1;
}
