import { StrictMode, startTransition } from 'react';
import { createRoot } from 'react-dom/client';

import './words/words.ts';
import '@fontsource-variable/inter/wght.css';
import './app/mantine.css';
import './app/tokens.css';
import './app/base.css';
import './app/numbers.css';
import './app/shell.css';
import './app/views.css';
import './live/live.css';
import './live/alerts.css';
import './live/charts.css';
import './live/wall.css';
import './chats/list.css';
import './chats/conversation.css';
import { App } from './app/App.tsx';
import { install } from './app/installed.ts';

install();
const root = document.getElementById('root');
if (root) {
  // Drawn in slices: a phone goes on answering meanwhile.
  startTransition(() =>
    createRoot(root).render(
      <StrictMode>
        <App />
      </StrictMode>,
    ),
  );
}
