/** The old dashboard's component under StrictMode. */

import { StrictMode } from 'react';
import { createRoot } from 'react-dom/client';

import { Dashboard } from './old-dashboard.jsx';

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Dashboard />
  </StrictMode>,
);
