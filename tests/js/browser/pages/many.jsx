/** Several components on one page, which come and go. */

import { StrictMode, useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useWebSocket } from 'umbler-hub-client/react';

import { Dashboard } from './old-dashboard.jsx';

window.renderings = { list: 0 };
window.results = [];

function List() {
  const result = useWebSocket({ subscribeToUpdates: ['updates', 'stats'] });
  window.renderings.list += 1;
  window.results.push(result);
  return (
    <ul id="chats">
      {result.umblerData.chats.map((chat) => (
        <li key={chat.id}>
          {chat.contactName}: {chat.lastMessage?.text}
        </li>
      ))}
    </ul>
  );
}

function Page() {
  const [shown, show] = useState({ dashboard: true, list: true });
  window.show = show;
  return (
    <>
      {shown.dashboard && <Dashboard />}
      {shown.list && <List />}
    </>
  );
}

createRoot(document.getElementById('root')).render(
  <StrictMode>
    <Page />
  </StrictMode>,
);
