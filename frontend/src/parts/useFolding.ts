/** What opens over the page and holds no dialog: Escape closes it, and so does a click elsewhere. */

import { type RefObject, useEffect, useRef } from 'react';

export function useFolding(): RefObject<HTMLDetailsElement | null> {
  const box = useRef<HTMLDetailsElement>(null);
  useEffect(() => {
    const away = ({ target }: Event) => {
      if (box.current !== null && target instanceof Node && !box.current.contains(target)) box.current.open = false;
    };
    // Before the page hears of the key: there Escape leads back to the list, or out of the wall.
    const keys = (event: KeyboardEvent) => {
      if (event.key !== 'Escape' || !box.current?.open) return;
      event.stopImmediatePropagation();
      box.current.open = false;
      if (box.current.contains(document.activeElement)) box.current.querySelector('summary')?.focus();
    };
    document.addEventListener('pointerdown', away);
    document.addEventListener('focusin', away);
    document.addEventListener('keydown', keys, true);
    return () => {
      document.removeEventListener('pointerdown', away);
      document.removeEventListener('focusin', away);
      document.removeEventListener('keydown', keys, true);
    };
  }, []);
  return box;
}
