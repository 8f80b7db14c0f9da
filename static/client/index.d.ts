import type {
  Chat,
  ConnectionEstablished,
  Contact,
  HubEvents,
  HubOptions,
  Message,
  Metrics,
  MetricsChannel,
  Placed,
  ReplayOptions,
  Runtime,
  Snapshot,
  SnapshotLimits,
  Status,
  UmblerData,
  User,
} from './types.d.ts';

export type * from './types.d.ts';

/** What went wrong, in a form that a program can act on. */
export declare class HubError extends Error {
  constructor(
    code: string,
    message: string,
    more?: {
      temporary?: boolean;
      closeCode?: number | null;
      cause?: unknown;
      parameter?: string | null;
      reason?: string | null;
    },
  );
  /** A code of the hub's table, or one of the client's own: see the README. */
  readonly code: string;
  /** True where the same may succeed later, unchanged. */
  readonly temporary: boolean;
  /** The socket's close code, where it was one. */
  readonly closeCode: number | null;
  /** Which parameter or field REST refused. */
  readonly parameter: string | null;
  /** `too_old` where a stretch of the past is not kept any more. */
  readonly reason: string | null;
}

/**
 * For `sort`: the oldest message first, in the hub's own order. `at` alone does not tell: what a customer writes on
 * WhatsApp is stamped in whole seconds.
 */
export declare function compareMessages(a: Placed, b: Placed): number;

/** The moment at which a message stands among others and among what happened to its chat, in RFC 3339. */
export declare function momentOf(message: Pick<Placed, 'at' | 'createdAt'>): string;

/** A moment as text that sorts, to the nanosecond: the hub writes as many digits of a second as there are. */
export declare function sortKey(at: string | null | undefined): string;

/** The same without what tells who a person is, and without content: what is left after `contact_erased`. */
export declare function erasedContact(contact: Contact): Contact;
export declare function erasedChat(chat: Chat): Chat;
export declare function erasedMessage(message: Message): Message;

/** What is followed where nothing is said: `updates` and `stats`. */
export declare const DEFAULT_CHANNELS: readonly string[];

/** The connection to a hub: it comes back by itself, and holds data that stays current. */
export declare class UmblerHubClient {
  constructor(options?: HubOptions, runtime?: Partial<Runtime>);

  /** What is not named stays as it is; `token: null` while not connected forgets the user and what was held. */
  configure(options: HubOptions): this;
  /**
   * Connects, signs in where the hub wants that, and subscribes. While connected, a new token is exchanged in place; an
   * event stream is opened anew with it.
   * Rejected where the hub refuses; a hub that does not answer is tried until it does.
   */
  connect(token?: string | null): Promise<void>;
  /** Closes the connection; what is held stays, and grows old. */
  disconnect(): void;

  on<E extends keyof HubEvents>(event: E, listener: HubEvents[E]): () => void;
  off<E extends keyof HubEvents>(event: E, listener: HubEvents[E]): this;

  /** A fresh snapshot; from then on `data` is kept current, as far as updates are subscribed to. */
  requestUmblerData(limits?: SnapshotLimits): Promise<Snapshot>;
  /** `['updates', 'stats']` where none are named. Remembered, and subscribed to again after each reconnect. */
  subscribeToUpdates(channels?: readonly string[]): Promise<void>;
  /** The metrics of a channel that is subscribed to, as whole tables; `null` before its first frame. */
  metrics(channel: MetricsChannel): Metrics | null;
  /** All where none are named. */
  unsubscribeFromUpdates(channels?: readonly string[]): Promise<void>;
  /** Tells others, who follow `presence`, which chat this screen shows; told again after each reconnect. */
  setPresence(chat: string | null): void;
  /** Reads a REST row with the token in its header. */
  get(path: string, query?: Record<string, string | number | undefined>): Promise<any>;
  /** Changes something through REST: an object goes as JSON, a text and a `Blob` as what `type` says. */
  send(
    method: 'POST' | 'PUT' | 'DELETE',
    path: string,
    body?: unknown,
    type?: string,
    only?: { ifMatch?: string },
  ): Promise<any>;
  /**
   * Has a stretch of the past played, on a socket of its own: what is live goes on as it is. It ends with `onEnd` or with
   * `onError`, once, and does not come back by itself.
   */
  replay(options: ReplayOptions): { stop(): void };
  /** A REST row as a file, such as a table with `accept` `text/csv`: a link could not carry the token. */
  download(path: string, query?: Record<string, string | number | undefined>, accept?: string): Promise<Blob>;

  readonly status: Status;
  readonly isConnected: boolean;
  /** True while `data` is what the hub has. */
  readonly isLive: boolean;
  /** What is held, kept current; the same object while nothing changes. */
  readonly data: UmblerData;
  readonly limits: Required<SnapshotLimits>;
  readonly error: HubError | null;
  readonly user: User | null;
  readonly hello: ConnectionEstablished | null;
  readonly transport: 'websocket' | 'stream' | null;
  readonly url: string;
  /**
   * What time it is on the hub, in milliseconds since 1970, however wrong this machine's clock is. Waits and days are to be
   * counted by it. Before the hub was heard it is this machine's time.
   */
  hubTime(): number;
  /** When the hub was last heard while the data was current, in milliseconds since 1970 by this machine; null before that. */
  readonly lastHeardAt: number | null;
  /** How old the data may be, in milliseconds; null before there is any. */
  dataAge(): number | null;

  /** For `useSyncExternalStore`. */
  readonly view: { readonly status: Status; readonly data: UmblerData; readonly error: HubError | null };
  subscribeView(listener: () => void): () => void;
}

/** The page's one connection. Nothing happens before `connect()`. */
declare const hub: UmblerHubClient;
export default hub;
