/**
 * Rows keep their places while somebody points at them or goes through them with keys: a click then opens what was aimed
 * at, however fast the list changes. What comes in between is counted, and what comes after the last row is put there.
 */

import { useCallback, useEffect, useMemo, useRef, useState, type KeyboardEvent } from 'react';

/** So long after the last move of pointer or keys rows move again. */
const REST_MS = 3000;

interface Held<Item> {
  /** Which list was held: with other filters it is another one. */
  of: unknown;
  items: Item[];
}

export interface HeldList<Item> {
  /** What to draw, those that are gone among them: their places stay empty. Null while nothing is known. */
  shown: Item[] | null;
  isGone: (item: Item) => boolean;
  /** How many came that have no place yet. */
  added: number;
  release: () => void;
  hold: () => void;
}

/** `idOf` is always the same function; `of` is another value where the list is another one. */
export function useHeld<Item>(items: Item[] | null, idOf: (item: Item) => string, of?: unknown): HeldList<Item> {
  const [kept, keep] = useState<Held<Item> | null>(null);
  const timer = useRef<ReturnType<typeof setTimeout> | undefined>(undefined);
  const release = useCallback(() => {
    clearTimeout(timer.current);
    keep(null);
  }, []);
  useEffect(() => () => clearTimeout(timer.current), []);
  const hold = () => {
    clearTimeout(timer.current);
    timer.current = setTimeout(release, REST_MS);
    if (items !== null) keep((before) => (before !== null && Object.is(before.of, of) ? before : { of, items }));
  };
  const held = kept !== null && Object.is(kept.of, of) ? kept.items : null;
  const merged = useMemo(() => heldOf(held, items, idOf), [held, items, idOf]);
  // What was put behind the last row is held from then on, too.
  if (held !== null && merged.shown !== null && merged.shown.length > held.length) keep({ of, items: merged.shown });
  return { ...merged, isGone: (item) => merged.gone.has(idOf(item)), release, hold };
}

/** For the element around the rows, which may do something of its own at a key. */
export function holding<Box extends HTMLElement>(
  { hold, release }: Pick<HeldList<unknown>, 'hold' | 'release'>,
  press?: (event: KeyboardEvent<Box>) => void,
) {
  return {
    onPointerEnter: hold,
    onPointerMove: hold,
    onPointerLeave: release,
    onKeyDown: (event: KeyboardEvent<Box>) => {
      hold();
      press?.(event);
    },
  };
}

/** The rows that are held as they are now, behind them what comes after all of them, and how many came in between. */
export function heldOf<Item>(held: Item[] | null, items: Item[] | null, idOf: (item: Item) => string) {
  if (held === null || items === null) return { shown: items, gone: new Set<string>(), added: 0 };
  const now = new Map(items.map((item) => [idOf(item), item]));
  const known = new Set(held.map(idOf));
  const end = items.findLastIndex((item) => known.has(idOf(item)));
  const behind = items.slice(end + 1);
  const gone = new Set([...known].filter((id) => !now.has(id)));
  return {
    shown: [...held.map((item) => now.get(idOf(item)) ?? item), ...behind],
    gone,
    added: end + 1 - (known.size - gone.size),
  };
}
