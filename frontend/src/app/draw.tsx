import { StrictMode, startTransition } from 'react';
import { createRoot } from 'react-dom/client';

import { App } from './App.tsx';

export function draw() {
  const root = document.getElementById('root');
  if (root === null) return;
  // Drawn in slices: a phone goes on answering meanwhile.
  startTransition(() =>
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  );
}
