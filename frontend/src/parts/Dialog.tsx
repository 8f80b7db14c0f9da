import { ActionIcon } from '@mantine/core';
import { useEffect, useId, useRef, type ReactNode } from 'react';

import { useWords } from '../words/words.ts';
import { Icon } from './icons.tsx';

interface DialogProps {
  title: string;
  close: () => void;
  /** As wide as the window lets it be. */
  isWide?: boolean;
  children: ReactNode;
}

/** The browser's own dialog: it keeps the focus inside, Escape closes it, and it needs no styles of its own making. */
export function Dialog({ title, close, isWide = false, children }: DialogProps) {
  const say = useWords();
  const id = useId();
  const box = useRef<HTMLDialogElement>(null);
  useEffect(() => {
    const dialog = box.current;
    const before = document.activeElement;
    dialog?.showModal();
    // The browser would choose the button that closes it.
    dialog?.querySelector<HTMLElement>('[data-autofocus]')?.focus();
    return () => {
      dialog?.close();
      if (before instanceof HTMLElement && before.isConnected) before.focus();
    };
  }, []);
  return (
    <dialog
      ref={box}
      className="dialog"
      data-wide={isWide || undefined}
      aria-labelledby={id}
      onCancel={(event) => {
        event.preventDefault();
        close();
      }}
      onMouseDown={(event) => {
        if (event.target === event.currentTarget) close();
      }}
    >
      <div className="inside">
        <header>
          <h2 id={id}>{title}</h2>
          <ActionIcon variant="subtle" color="gray" onClick={close} aria-label={say('close')} title={say('close')}>
            <Icon name="close" />
          </ActionIcon>
        </header>
        {children}
      </div>
    </dialog>
  );
}
