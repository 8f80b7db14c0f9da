// @ts-check
/**
 * The hub in React: one hook. Components that name the same hub share one connection.
 *
 *     const { isConnected, umblerData } = useWebSocket({ subscribeToUpdates: true });
 */

import { useCallback, useEffect, useMemo, useRef, useSyncExternalStore } from 'react';

import { channelsOf, shareOf } from './lib/sharing.js';

/** @import { SnapshotLimits } from './types.d.ts' */
/** @import { UseWebSocketOptions, UseWebSocketResult } from './react.d.ts' */

/** @param {UseWebSocketOptions} [options] @returns {UseWebSocketResult} */
export function useWebSocket(options = {}) {
  const { autoConnect = true, subscribeToUpdates = true, url, token, tokenProvider } = options;
  // Listeners may be new at every rendering; the connection does not care.
  const latest = useRef(options);
  useEffect(() => {
    latest.current = options;
  });

  const share = useMemo(() => shareOf(url), [url]);
  const { client } = share;
  const view = useSyncExternalStore(share.subscribe, share.getView, share.getView);

  const hasProvider = Boolean(tokenProvider);
  useEffect(() => {
    if (hasProvider) client.configure({ tokenProvider: (why) => latest.current.tokenProvider?.(why) ?? null });
  }, [client, hasProvider]);

  useEffect(() => {
    const stops = [
      client.on('umbler_update', (data, envelope) => latest.current.onMessage?.(data, envelope)),
      client.on('error', (error) => latest.current.onError?.(error)),
    ];
    return () => {
      for (const stop of stops) stop();
    };
  }, [client]);

  // Where this component has signed in. Others, which name no token, sign nobody out.
  const signedIn = useRef(/** @type {typeof share | null} */ (null));
  useEffect(() => {
    if (token) share.signIn(token, latest.current.autoConnect !== false);
    else signedIn.current?.signOut();
    signedIn.current = token ? share : null;
  }, [share, token]);

  // Equal lists of channels are the same wish, although each rendering makes a new one.
  const wished = channelsOf(subscribeToUpdates).join(' ');
  useEffect(() => {
    return share.hold({ channels: wished === '' ? [] : wished.split(' '), autoConnect });
  }, [share, wished, autoConnect]);

  const requestData = useCallback(
    (/** @type {unknown} */ limits) => {
      const wish = limitsOf(limits);
      // What is live needs no asking, or every reconnect would ask for what the hub has just replayed.
      if (wish === undefined && client.isLive) return Promise.resolve(client.data);
      return client.requestUmblerData(wish).then(
        () => client.data,
        () => null,
      );
    },
    [client],
  );

  const { status, data, error } = view;
  return useMemo(
    () => ({
      isConnected: status === 'connected',
      connectionStatus: status,
      umblerData: data,
      requestData,
      error,
      client,
    }),
    [status, data, error, requestData, client],
  );
}

/** A click handler gets an event, which is no limits. @param {any} given @returns {SnapshotLimits | undefined} */
function limitsOf(given) {
  const limits = Object.entries(given ?? {}).filter(
    ([name, value]) => ['contacts', 'chats', 'messages'].includes(name) && typeof value === 'number',
  );
  return limits.length === 0 ? undefined : Object.fromEntries(limits);
}

export default useWebSocket;
