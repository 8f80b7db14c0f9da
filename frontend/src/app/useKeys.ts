/** Keys that work on every page, unless somebody is typing. */

import { useEffect, useRef } from 'react';
import { useLocation, useNavigate } from 'react-router';

import { letterKeys } from './letterKeys.ts';
import { PAGES } from './pages.ts';

/** How long `g` waits for the letter of a page. */
const CHORD_MS = 1200;

export type Opened = 'palette' | 'keys' | 'views' | null;

export function useKeys(open: (what: Opened) => void) {
  const navigate = useNavigate();
  const { pathname, search } = useLocation();
  const begun = useRef(-Infinity);
  useEffect(() => {
    const acts: Record<string, (() => void) | undefined> = {
      '?': () => open('keys'),
      '/': () => focusSearch() || void navigate('/chats', { state: { search: true } }),
      j: () => step(1),
      k: () => step(-1),
      Escape: /^\/chats\/./.test(pathname) ? () => void navigate({ pathname: '/chats', search }) : undefined,
    };
    /** What a key does here; `g` makes the next one lead to a page. A busy page hears of keys long after they were pressed. */
    const actOf = ({ key, timeStamp }: KeyboardEvent): (() => void) | undefined => {
      // Without its letters a keyboard still has Escape and the palette.
      if (key.length === 1 && !letterKeys.get()) return undefined;
      const isChord = timeStamp - begun.current < CHORD_MS;
      begun.current = key === 'g' ? timeStamp : -Infinity;
      const page = isChord ? PAGES.find((one) => one.key === key) : undefined;
      return page === undefined ? acts[key] : () => void navigate(page.path);
    };
    const keys = (event: KeyboardEvent) => {
      const isCommand = event.ctrlKey || event.metaKey;
      const act = isCommand
        ? event.key.toLowerCase() === 'k'
          ? () => open('palette')
          : undefined
        : event.altKey || isTaken(event.target)
          ? undefined
          : actOf(event);
      if (act === undefined) return;
      event.preventDefault();
      act();
    };
    document.addEventListener('keydown', keys);
    return () => document.removeEventListener('keydown', keys);
  }, [open, navigate, pathname, search]);
}

/** Somebody types there, or a dialog has the keys. */
function isTaken(target: EventTarget | null): boolean {
  if (document.querySelector('dialog[open]') !== null) return true;
  return target instanceof HTMLElement && target.matches('input, select, textarea, [contenteditable]');
}

function focusSearch(): boolean {
  const field = document.querySelector<HTMLInputElement>('input[type=search]:not(:disabled)');
  field?.focus();
  return field !== null;
}

/** To the next row of the page's list, or into it. Rows beyond those in sight are made as the list scrolls to them. */
function step(by: number) {
  const list = document.querySelector('[data-list]');
  const now = Number(document.activeElement?.closest('[data-list] > li')?.getAttribute('aria-posinset') ?? 0);
  const place = now === 0 ? 1 : now + by;
  const row = list?.querySelector(`:scope > li[aria-posinset="${place}"]`);
  row?.querySelector('a')?.focus();
  row?.scrollIntoView({ block: 'nearest' });
}
