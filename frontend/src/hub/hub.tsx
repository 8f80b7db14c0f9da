/** The page's one connection, what is kept beside it, and the hook that components read them through. */

import { createContext, useContext, useEffect, useMemo, type ReactNode } from 'react';
import type { Metrics, UmblerData } from 'umbler-hub-client';
import hub from 'umbler-hub-client';
import { useWebSocket, type UseWebSocketResult } from 'umbler-hub-client/react';

import { setZone } from '../words/zone.ts';
import { AlertStore } from './alerts.ts';
import { ArrivalStore } from './arrivals.ts';
import { BackupStore } from './backup.ts';
import { BOARDS, BoardStore, type BoardName } from './boards.ts';
import { GivenNameStore } from './given-names.ts';
import { HubStateStore } from './hub-state.ts';
import { LinkStore } from './link.ts';
import { LookedStore } from './looked.ts';
import { OpenChatStore } from './open-chats.ts';
import { ReplayStore } from './replays.ts';
import { SettingsStore } from './settings.ts';
import { type Store, useStore } from './store.ts';
import { storedToken } from './token.ts';
import { TrafficStore } from './traffic.ts';

export { default as hub } from 'umbler-hub-client';

// Before the connection opens, so that they hear its first word.
export const openChats = new OpenChatStore(hub);
export const arrivals = new ArrivalStore(hub);
export const hubState = new HubStateStore(hub);
export const givenNames = new GivenNameStore(hub);
export const umblerLink = new LinkStore(hub);
export const backup = new BackupStore(hub);
export const traffic = new TrafficStore(hub);
export const alerts = new AlertStore(hub, (chat) => openChats.find(chat)?.contactId);
const boards = Object.fromEntries(BOARDS.map((name) => [name, new BoardStore(hub, name)])) as Record<
  BoardName,
  BoardStore
>;
export const replays = new ReplayStore(hub);
export const looked = new LookedStore(hub);
export const settings = new SettingsStore(hub);

settings.subscribe(() => {
  const known = settings.get().settings;
  if (known !== null) setZone(known.timeZone);
});

const CHANNELS = ['updates', 'stats', 'presence'] as const;

type Link = Pick<UseWebSocketResult, 'client' | 'connectionStatus' | 'isConnected' | 'error'>;
// Apart, for data is another at every update, and most components look at the connection alone.
const LinkContext = createContext<Link | null>(null);
const DataContext = createContext<UmblerData | null>(null);

const token = storedToken();
if (token !== null) hub.configure({ token });

/**
 * Before anything is drawn: what is live is then on its way while the script is. Resolves once it is here, or will not come;
 * why not is the client's status, which the page shows.
 */
export function connect(withBoards: boolean): Promise<unknown> {
  const refused = new Promise((resolve) => void hub.connect().catch(resolve));
  void hub.subscribeToUpdates(CHANNELS).catch(() => {});
  void hub.requestUmblerData().catch(() => {});
  const first = [has(openChats, ({ complete }) => complete)];
  if (withBoards) {
    void hub.subscribeToUpdates(BOARDS).catch(() => {});
    first.push(...BOARDS.map((name) => has(boards[name], (metrics) => metrics !== null)));
  }
  return Promise.race([refused, Promise.all(first)]);
}

function has<T>(store: Store<T>, isThere: (value: T) => boolean): Promise<void> {
  return new Promise((resolve) => {
    const stop = store.subscribe(() => {
      if (!isThere(store.get())) return;
      stop();
      resolve();
    });
  });
}

export function HubProvider({ children }: { children: ReactNode }) {
  const { client, connectionStatus, isConnected, error, umblerData } = useWebSocket({ subscribeToUpdates: CHANNELS });
  const link = useMemo(
    () => ({ client, connectionStatus, isConnected, error }),
    [client, connectionStatus, isConnected, error],
  );
  return (
    <LinkContext value={link}>
      <DataContext value={umblerData}>{children}</DataContext>
    </LinkContext>
  );
}

/** The live metrics, pushed while somebody looks at them. */
export function useBoards(): Record<BoardName, Metrics | null> {
  useEffect(() => {
    void hub.subscribeToUpdates(BOARDS).catch(() => {});
    return () => {
      void hub.unsubscribeFromUpdates(BOARDS).catch(() => {});
      for (const name of BOARDS) boards[name].set(null);
    };
  }, []);
  const [live, sectors, agents] = [
    useStore(boards['metrics:live']),
    useStore(boards['metrics:sectors']),
    useStore(boards['metrics:agents']),
  ];
  return { 'metrics:live': live, 'metrics:sectors': sectors, 'metrics:agents': agents };
}

/** The connection: how it stands, and what to ask through. */
export function useHub(): Link {
  return known(useContext(LinkContext));
}

/** What the client holds; another one at every update. */
export function useData(): UmblerData {
  return known(useContext(DataContext));
}

function known<T>(value: T | null): T {
  if (value === null) throw new Error('outside of HubProvider');
  return value;
}
