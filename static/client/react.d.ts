import type { HubError, UmblerHubClient } from './index.d.ts';
import type { Envelope, SnapshotLimits, Status, TokenProvider, UmblerData, Update } from './types.d.ts';

export interface UseWebSocketOptions {
  /** Connect when the component mounts; default true. */
  autoConnect?: boolean;
  /** True (the default) follows every update and the counters; a list follows these channels. */
  subscribeToUpdates?: boolean | readonly string[];
  /** Each update, once. */
  onMessage?: (update: Update, envelope: Envelope<Update>) => void;
  onError?: (error: HubError) => void;
  /** Where the hub is; else `VITE_WEBSOCKET_URL`, else this page's host. */
  url?: string;
  /** Where it becomes null, the user is signed out and what was held is forgotten. */
  token?: string | null;
  tokenProvider?: TokenProvider;
}

export interface UseWebSocketResult {
  isConnected: boolean;
  connectionStatus: Status;
  /** Stays current as updates arrive, without asking again. */
  umblerData: UmblerData;
  /** Asks for a snapshot where the data is not live; never rejected: `error` says what went wrong. */
  requestData: (limits?: SnapshotLimits | unknown) => Promise<UmblerData | null>;
  error: HubError | null;
  /** The shared connection, for everything else: `client.dataAge()`, `client.get('/api/umbler/…')`. */
  client: UmblerHubClient;
}

export declare function useWebSocket(options?: UseWebSocketOptions): UseWebSocketResult;
export default useWebSocket;
