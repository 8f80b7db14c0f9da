/** The old dashboard's component, unchanged but for the path of the import. */

import { useEffect } from 'react';
import { useWebSocket } from 'umbler-hub-client/react';

export function Dashboard() {
  const { isConnected, connectionStatus, umblerData, requestData, error } = useWebSocket({
    autoConnect: true,
    subscribeToUpdates: true,
    onMessage: (data) => console.log('Received update:', data),
    onError: (error) => console.error('WebSocket error:', error),
  });
  useEffect(() => {
    if (isConnected) requestData();
  }, [isConnected, requestData]);
  return (
    <div>
      <p id="status">{connectionStatus}</p>
      <p id="contacts">{umblerData.stats?.totalContacts}</p>
      <p id="messages">{umblerData.stats?.totalMessages}</p>
      {error && <p id="error">{error.message}</p>}
      <button type="button" onClick={requestData}>
        again
      </button>
    </div>
  );
}
