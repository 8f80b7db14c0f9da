/** The page's one connection, what is kept beside it, and the hook that components read them through. */

import { createContext, useContext, type ReactNode } from 'react';
import hub from 'umbler-hub-client';
import { useWebSocket, type UseWebSocketResult } from 'umbler-hub-client/react';

import { ArrivalStore } from './arrivals.ts';
import { HubStateStore } from './hub-state.ts';
import { OpenChatStore } from './open-chats.ts';
import { storedToken } from './token.ts';
import { TrafficStore } from './traffic.ts';

export { default as hub } from 'umbler-hub-client';

// Before the connection opens, so that they hear its first word.
export const openChats = new OpenChatStore(hub);
export const arrivals = new ArrivalStore(hub);
export const hubState = new HubStateStore(hub);
export const traffic = new TrafficStore(hub);

const CHANNELS = ['updates', 'stats', 'presence'] as const;
const Context = createContext<UseWebSocketResult | null>(null);

const token = storedToken();
if (token !== null) hub.configure({ token });

export function HubProvider({ children }: { children: ReactNode }) {
  const connection = useWebSocket({ subscribeToUpdates: CHANNELS });
  return <Context value={connection}>{children}</Context>;
}

export function useHub(): UseWebSocketResult {
  const connection = useContext(Context);
  if (connection === null) throw new Error('useHub outside of HubProvider');
  return connection;
}
