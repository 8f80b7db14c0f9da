import { useEffect, useRef } from 'react';

interface Standing {
  touched: boolean;
  busy: boolean;
  refused: unknown;
  /** There are settings, or whoever looks cannot save any. */
  isSaved: boolean;
}

/**
 * Whether there is nothing to save and nothing to tell, and what the focus is on while the bar that saves rises and sinks. It rises over the end of the form: not over the field that
 * somebody writes in. As it sinks, the button that was pressed is gone, and the form has the focus.
 */
export function useRising({ touched, busy, refused, isSaved }: Standing) {
  const isAtRest = isSaved && !touched && !busy && refused === null;
  const fields = useRef<HTMLDivElement>(null);
  const wasAtRest = useRef(isAtRest);
  useEffect(() => {
    const { activeElement } = document;
    if (!isAtRest && fields.current?.contains(activeElement)) activeElement?.scrollIntoView({ block: 'nearest' });
    if (isAtRest && !wasAtRest.current && activeElement === document.body)
      fields.current?.focus({ preventScroll: true });
    wasAtRest.current = isAtRest;
  }, [isAtRest]);
  return { isAtRest, fields };
}
