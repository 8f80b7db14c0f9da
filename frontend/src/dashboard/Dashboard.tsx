import { useEffect } from 'react';
import { useWebSocket } from 'umbler-hub-client/react';

import { words } from '../words/words.ts';
import { ChatList } from './ChatList.tsx';
import { Numbers } from './Numbers.tsx';

/** The old dashboard's component: its use of the hook is unchanged, and what it shows stays current by itself. */
export function Dashboard() {
  const { isConnected, connectionStatus, umblerData, requestData, error } = useWebSocket({
    autoConnect: true, subscribeToUpdates: true,
    onMessage: (data) => console.log('Received update:', data),
    onError: (error) => console.error('WebSocket error:', error),
  });
  useEffect(() => { if (isConnected) requestData(); }, [isConnected, requestData]);

  return (
    <>
      <p role="status" data-status={connectionStatus}>{words[connectionStatus]}</p>
      {error && <p role="alert">{error.message}</p>}
      <Numbers stats={umblerData.stats} />
      <ChatList chats={umblerData.chats} />
    </>
  );
}
