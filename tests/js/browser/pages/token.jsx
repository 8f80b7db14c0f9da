/** A page whose user signs in and out: the token is a prop, and becomes null. */

import { useState } from 'react';
import { createRoot } from 'react-dom/client';
import { useWebSocket } from 'umbler-hub-client/react';

function Page() {
  const [token, setToken] = useState(null);
  window.setToken = setToken;
  const { connectionStatus, umblerData, client } = useWebSocket({ token, subscribeToUpdates: true });
  return (
    <main>
      <p id="status">{connectionStatus}</p>
      <p id="user">{client.user?.name ?? 'nobody'}</p>
      <p id="chats">{umblerData.chats.map(({ contactName }) => contactName).join(', ') || 'no chats'}</p>
    </main>
  );
}

createRoot(document.getElementById('root')).render(<Page />);
