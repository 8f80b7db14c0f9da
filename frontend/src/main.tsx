import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import './words/words.ts';
import './app/mantine.css';
import './app/app.css';
import './live/live.css';
import './chats/chats.css';
import { App } from './app/App.tsx';

const root = document.getElementById('root');
if (root) {
  createRoot(root).render(
    <StrictMode>
      <App />
    </StrictMode>,
  );
}
