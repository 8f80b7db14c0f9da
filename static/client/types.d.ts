/** Shapes of the wire and of the client. What the hub does not know is `null`. */

export interface Named {
  id: string;
  name: string | null;
}

export interface Channel extends Named {
  type: string | null;
}

export interface MessageSummary {
  id: string;
  chatId: string;
  direction: 'in' | 'out';
  source: string | null;
  type: string | null;
  text: string | null;
  state: string | null;
  private: boolean;
  at: string;
  /** Deleted for everyone: its words are not known any more. */
  deleted: boolean;
  /**
   * When the provider created it: orders messages of one instant (`compareMessages`). Missing in updates of the past that
   * were recorded by a hub that did not tell it.
   */
  createdAt?: string | null;
}

/** What tells the place of a message among others. */
export type Placed = Pick<MessageSummary, 'id' | 'at' | 'createdAt'>;

export interface Contact {
  id: string;
  name: string | null;
  phone: string | null;
  pictureUrl: string | null;
  type: string | null;
  blocked: boolean;
  tags: Named[];
  createdAt: string | null;
  lastInteractionAt: string | null;
  lastMessage: MessageSummary | null;
}

export interface Chat {
  id: string;
  contactId: string | null;
  contactName: string | null;
  /** What is shown where there is no name. */
  contactPhone: string | null;
  kind: 'direct' | 'group' | 'internal';
  channel: Channel | null;
  sector: Named | null;
  owner: Named | null;
  members: Named[];
  tags: Named[];
  status: 'open' | 'waiting' | 'closed';
  open: boolean;
  waiting: boolean;
  private: boolean;
  waitingSince: string | null;
  createdAt: string | null;
  closedAt: string | null;
  lastActivityAt: string | null;
  lastMessage: MessageSummary | null;
}

export interface Reaction {
  id: string;
  emoji: string;
  source: string | null;
  at: string | null;
}

export interface Message extends MessageSummary {
  contactId: string | null;
  author: Named | null;
  bot: Named | null;
  editedAt: string | null;
  reactions: Reaction[];
  replyTo: { id: string; chatId: string | null } | null;
  file: {
    url: string | null;
    contentType: string | null;
    name: string | null;
    /** In bytes. */
    size: number | null;
    /** What is said in a recording, where Umbler wrote it down; left out otherwise. */
    transcription?: string;
  } | null;
  location: { latitude: number | null; longitude: number | null; name: string | null; address: string | null } | null;
  contacts: object[];
  /** The user who sent it through the hub; left out where it was sent elsewhere. `author` is then the owner of the API's token. */
  sentBy?: Named;
  /** The outbox entry whose message it repeats under another id. */
  echoOf?: string;
  /** True where its content was erased, or was older than the hub keeps it; left out otherwise. */
  erased?: boolean;
}

/** What became of a message that goes out through the hub. */
export interface OutboxEntry {
  id: string;
  /** The id that the sender chose, or one that the hub chose. */
  tempId: string;
  chatId: string;
  state: 'queued' | 'sending' | 'unclear' | 'sent' | 'failed' | 'unconfirmed' | 'discarded';
  text: string | null;
  private: boolean;
  prefix: string | null;
  sentBy: Named;
  queuedAt: string;
  attempts: number;
  attemptedAt: string | null;
  changedAt: string;
  /** The provider's id of the message; null until the provider has it. */
  messageId: string | null;
  reason: 'chat_closed' | 'window_closed' | 'refused' | 'unreachable' | 'undelivered' | 'not_found' | null;
  /** The provider's own words. */
  detail: string | null;
}

/** Whether the caller may write in a chat now. */
export interface Writing {
  refused: 'sending_off' | 'forbidden' | 'chat_closed' | 'window_closed' | null;
  windowUntil: string | null;
}

export interface Stats {
  totalContacts: number;
  totalMessages: number;
  totalChats: number;
  openChats: number;
  waitingChats: number;
  messagesToday: number;
  asOfSeq: number;
}

/** How many items of each kind a snapshot holds at most, 0 to 200. */
export interface SnapshotLimits {
  contacts?: number;
  chats?: number;
  messages?: number;
}

/** What the hub answers to `request_umbler_data`. */
export interface Snapshot {
  seq: number;
  epoch: string;
  scope: string;
  stats: Stats;
  contacts: Contact[];
  chats: Chat[];
  recentMessages: Message[];
  truncated: string[];
}

/** The same, kept current. Never `null` itself: before the first snapshot its lists are empty. */
export interface UmblerData {
  /** The position that the lists include; `null` before the first snapshot. */
  seq: number | null;
  epoch: string | null;
  scope: string | null;
  stats: Stats | null;
  /** Latest interaction first. */
  contacts: Contact[];
  /** Open chats, latest activity first. */
  chats: Chat[];
  /** Newest first. */
  recentMessages: Message[];
  /** Who is on which screen, where the channel `presence` is followed. */
  presence: Present[];
  /** Names of the lists of which the hub has more than are here. */
  truncated: string[];
}

/** One user's stay. */
export interface Present {
  id: string;
  name: string | null;
  role: User['role'];
  since: string;
  tabs: number;
  /** The chats in view that this user may see. */
  chats: string[];
}

export interface PresenceUpdate {
  /** True where `users` is everybody; false where it is only whose stay changed. */
  full: boolean;
  users: Present[];
  /** The ids of users who are gone. */
  left: string[];
}

/** Numbers of the team that the hub pushes. */
export type MetricsChannel =
  | 'metrics:live'
  | 'metrics:agents'
  | 'metrics:sectors'
  | 'metrics:channels'
  | 'metrics:tags';

/** What open chats come to. */
export interface LiveMetricsRow {
  /** Not on `metrics:live`; `null`: nobody's. */
  id?: string | null;
  name?: string | null;
  open: number;
  waiting: number;
  unattended: number;
  unassigned: number;
  withBot: number;
  waitingForCustomer: number;
  idle: number;
  windowOpen: number;
  windowClosed: number;
  unanswered: number;
  longestWaitSince: string | null;
  longestWaitChatId: string | null;
  averageWaitSince: string | null;
  nextWindowClosesAt: string | null;
}

/** One metric from midnight to now. */
export interface TodayMetricsRow {
  /** Not on `metrics:live`; `null`: nobody's. */
  id?: string | null;
  name?: string | null;
  metric: string;
  n: number;
  medianMs: number | null;
  meanMs: number | null;
  p75Ms: number | null;
  p90Ms: number | null;
  p95Ms: number | null;
  maxMs: number | null;
}

/** What metrics and their frames have in common. */
interface MetricsAbout {
  channel: MetricsChannel;
  /** Every delivery up to here is in it. */
  asOfSeq: number;
  /** Not `null` while history is computed anew. */
  rebuilding: { done: number; total: number } | null;
  now: string;
  /** Where today began. */
  from: string;
}

/** A frame: with `full` everything, else the keys and the cells that changed. */
export interface MetricsUpdate extends MetricsAbout {
  full: boolean;
  live: { rows: Partial<LiveMetricsRow>[]; gone: (string | null)[] };
  today: { rows: (Partial<TodayMetricsRow> & { metric: string })[]; gone: { id: string | null; metric: string }[] };
}

/** Whole tables, kept current; rows by id, nobody's last. */
export interface Metrics extends MetricsAbout {
  live: LiveMetricsRow[];
  today: TodayMetricsRow[];
}

/** An agent as the directory has it. */
export interface Member {
  id: string;
  /** `null`: not in the directory any more. */
  name: string | null;
  photoUrl: string | null;
  sectorId: string | null;
}

/** The deadlines that alerts are raised for. */
export type AlertKind =
  | 'waiting_warn'
  | 'waiting'
  | 'idle'
  | 'first_response_near'
  | 'first_response_missed'
  | 'window_closing';

/** A deadline of a chat that passed. */
export interface Alert {
  /** Made of kind, chat and `since`. */
  id: string;
  kind: AlertKind;
  chatId: string;
  contactName: string | null;
  sector: { id: string; name: string | null } | null;
  owner: { id: string; name: string | null } | null;
  /** What the deadline is counted from. */
  since: string;
  dueAt: string;
  raisedAt: string;
  clearedAt: string | null;
  acknowledgedAt: string | null;
  acknowledgedBy: { id: string; name: string | null } | null;
}

/** Seconds by the name of a threshold; `null`: no such alert. */
export interface Thresholds {
  waitingWarnSeconds: number | null;
  waitingSeconds: number | null;
  idleSeconds: number | null;
  firstResponseNearSeconds: number | null;
  firstResponseSeconds: number | null;
  windowClosingSeconds: number | null;
}

/** What an admin edits while the hub runs. */
export interface HubSettings {
  timeZone: string;
  /** From `monday` to `sunday`, each a list of spans like `["08:00", "12:00"]`. */
  businessHours: Record<string, [string, string][]>;
  holidays: { date: string; name: string }[];
  thresholds: { default: Thresholds; sectors: Record<string, Partial<Thresholds>> };
  /** After so many minutes without a message the live metrics call a chat idle. */
  idleMinutes: number;
  /** Views of the dashboard by name; left out where there are none. */
  views?: SavedView[];
  /** When the daily report is sent, as `HH:MM` in `timeZone`; left out: never. */
  dailyReport?: { at: string; language: 'pt-BR' | 'en' } | null;
}

/** A page of the dashboard with what it is narrowed to, under a name. */
export interface SavedView {
  name: string;
  /** Path and query, such as `/chats?wait=late`. */
  address: string;
}

export type UpdateType =
  | 'unrecognized'
  | 'new_message'
  | 'chat_closed'
  | 'chat_reopened'
  | 'chat_opened'
  | 'chat_transferred'
  | 'chat_sector_changed'
  | 'chat_tags_changed'
  | 'chat_visibility_changed'
  | 'message_updated'
  | 'contact_updated'
  | 'chat_updated'
  | 'chat_entered'
  | 'chat_gone'
  | 'notification'
  | 'member_updated'
  | 'names_updated'
  | 'alert_raised'
  | 'alert_cleared'
  | 'alert_acknowledged'
  | 'settings_updated'
  | 'link_updated'
  | 'outbox_updated'
  | 'daily_report'
  | 'contact_erased';

/** What a sector, a line or a tag is called. */
export interface GivenName {
  /** What the name is of; `channel` is a line. */
  what: 'sector' | 'channel' | 'tag';
  id: string;
  /** Null where neither Umbler nor an admin says a name. */
  name: string | null;
  /** Who named it. A name that an admin set counts everywhere. */
  origin: 'admin' | 'provider' | null;
}

/** Something that is wrong with the link to Umbler's API, or with what webhooks bring. It concerns no chat. */
export interface LinkAlert {
  kind: 'deliveries_lost' | 'silent_unverified' | 'webhook_paused' | 'webhook_missing' | 'not_allowed' | 'misled';
  since: string;
  /** How many messages no webhook brought, with `deliveries_lost`. */
  count: number | null;
}

/** A reading of the chats and messages of days before now. */
export interface LinkBackfill {
  /** How many days before its beginning it reaches back. */
  days: number;
  begunAt: string;
  /** Null until it came to its end. */
  endedAt: string | null;
  /** Chats that were read. */
  done: number;
  /** Chats there are to read; null until they are counted. */
  total: number | null;
  /** Messages that were new. */
  messages: number;
  /** Chats that could not be read to their end. */
  skipped: number;
  /** Days of the longer one that comes after it. */
  nextDays: number | null;
  /** What was odd, or why it waits. */
  problem: string | null;
}

/**
 * The data of an `umbler_update`. Of a chat that is gone, `chat` holds nothing but its `id`, and so does `contact` with
 * `contactGone`; a `notification` has `user` and `data` instead, a `member_updated` has `members`, the three
 * of alerts have `alert`, `settings_updated` has `settings` and `updatedBy`, `link_updated` has `linkAlerts`,
 * `outbox_updated` has `outbox`, `daily_report` has `report`, and `contact_erased` has `erasedContactId`.
 */
export interface Update {
  eventId: string;
  type: UpdateType;
  changes: UpdateType[];
  chat: Chat | null;
  contact: Contact | null;
  message?: Message;
  otherMessages?: Message[];
  previous?: Partial<Chat>;
  reason?: string;
  /** With `chat_gone`: the contact is not seen through another chat either. */
  contactGone?: boolean;
  /** With `names_updated`: the sectors, lines and tags that are called otherwise now. `GET /api/umbler/names` has the names. */
  names?: Pick<GivenName, 'what' | 'id'>[];
  /** With `member_updated`: the entries of the directory of agents that changed, as they are now. */
  members?: Member[];
  /** With `alert_raised`, `alert_cleared` and `alert_acknowledged`: the alert as it is now. */
  alert?: Alert;
  /** With `settings_updated`: all of them. */
  settings?: HubSettings;
  /** Who saved them. */
  updatedBy?: { id: string; name: string | null };
  /** With `link_updated`: all that is wrong with the link to Umbler's API. */
  linkAlerts?: LinkAlert[];
  /** With `outbox_updated`: the message that goes out, as it is now. */
  outbox?: OutboxEntry;
  /** With `daily_report`: what was on one day, as docs/alerts.md describes it. */
  report?: Record<string, unknown>;
  /** With `contact_erased`: the contact whose data were erased. Whoever shows the name, phone or texts removes them. */
  erasedContactId?: string;
  /** With `link_updated`: how far the newest backfill has come; null where there was none. */
  backfill?: LinkBackfill | null;
  /** `reconcile` where it was found at Umbler's API; left out where a webhook brought it. */
  origin?: 'reconcile';
  /** Whom a `notification` is for. */
  user?: string;
  /** What it says. */
  data?: unknown;
}

/** One frame. */
export interface Envelope<T = any> {
  event: string;
  id?: string | number;
  seq?: number;
  timestamp?: string;
  data: T;
}

export interface ConnectionEstablished {
  sessionId: string;
  protocol: number;
  epoch: string;
  seq: number;
  heartbeatSeconds: number;
  authRequired: boolean;
  /** Name of the company or team whose hub it is; null or left out where nobody gave one. */
  organization?: string | null;
}

export interface User {
  id: string;
  name: string | null;
  role: 'admin' | 'supervisor' | 'agent' | 'viewer';
}

export interface Authenticated {
  success: boolean;
  user: User;
  expiresAt: string | null;
}

export interface Subscribed {
  channels: string[];
  seq: number;
  epoch: string;
  scope: string;
  recovered: boolean;
  replayed: number;
  reason?: string;
  /** The stretch of the past that comes next, where one was asked for. */
  replay?: Replay;
}

/** A stretch of the past, as it is played. */
export interface Replay {
  from: string;
  until: string;
  speed: number;
  /** How many updates it holds for this token, on these channels. */
  updates: number;
}

/** Whether the hub accepts deliveries and keeps up with its cluster. */
export interface HubStatus {
  /** `behind`: what is shown may be older than what other hubs of the cluster show. */
  status: 'ok' | 'unwritable' | 'behind' | 'draining';
  /** Why it is `unwritable`. */
  reason?: string;
  /** When this status began. */
  since: string;
}

export interface ReplayEnded {
  reason: 'done' | 'stopped' | 'gone';
  /** The position of the last update; 0 where there was none. */
  seq: number;
}

export interface ReplayOptions {
  /** RFC 3339, as `until`. */
  from: string | Date;
  /** Now where it is left out. */
  until?: string | Date;
  /** 0.1 to 1000 times as fast as it happened; 1. */
  speed?: number;
  /** `['updates']` where none are named. */
  channels?: readonly string[];
  /** It begins now. */
  onStart?: (replay: Replay) => void;
  onUpdate?: (update: Update, envelope: Envelope<Update>) => void;
  /** It is over; `stop()` ends it as well. */
  onEnd?: (end: ReplayEnded) => void;
  /** The hub refused it, or the connection was lost. */
  onError?: (error: import('./index.js').HubError) => void;
}

/**
 * - `connecting`: not connected yet, being tried.
 * - `connected`: live; what is held is current.
 * - `recovering`: the connection was lost or is in doubt, or what was missed is being caught up with.
 * - `stale`: the same for longer than ten seconds; what is held is old, see `dataAge()`.
 * - `disconnected`: not connected, and not being tried.
 * - `unauthorized`: the hub wants a token, or another one.
 */
export type Status = 'connecting' | 'connected' | 'recovering' | 'stale' | 'disconnected' | 'unauthorized';

/** Gives a token; called again when the hub wants a new one. Several needs at once are one call. */
export type TokenProvider = (why: {
  reason: 'first' | 'expiring' | 'refused';
}) => string | null | Promise<string | null>;

export interface HubOptions {
  /** `ws:`, `wss:`, `http:` or `https:`; a path on this page's host works too. */
  url?: string | null;
  token?: string | null;
  tokenProvider?: TokenProvider | null;
  /** `auto` falls back to an event stream where WebSockets are blocked. */
  transport?: 'auto' | 'websocket' | 'stream';
  /** Keep the position in sessionStorage, so that a reload misses no update; default true. */
  keepPosition?: boolean;
}

/** The client's surroundings, for tests. */
export interface Runtime {
  /** The machine's clock, in milliseconds since 1970. It may be wrong, and be set while the page is open. */
  now(): number;
  /** Milliseconds since any moment, on a clock that nobody can set. It may stand still while the machine sleeps. */
  steady(): number;
  random(): number;
  setTimeout(run: () => void, ms: number): unknown;
  clearTimeout(timer: any): void;
  WebSocket: (new (url: string) => WebSocket) | null;
  fetch: typeof fetch | null;
  storage: Pick<Storage, 'getItem' | 'setItem' | 'removeItem'> | null;
  window: EventTarget | null;
  document: (EventTarget & { visibilityState?: string }) | null;
  /** The page's address, for a URL that names no host. */
  pageUrl: string | null;
}

/** Handlers get the event's data, and the whole envelope where the event came from the hub. */
export interface HubEvents {
  status: (status: Status) => void;
  data: (data: UmblerData) => void;
  error: (error: import('./index.js').HubError) => void;
  '*': (data: any, envelope: Envelope) => void;
  connection_established: (data: ConnectionEstablished, envelope: Envelope<ConnectionEstablished>) => void;
  authenticated: (data: Authenticated, envelope: Envelope<Authenticated>) => void;
  umbler_data: (data: Snapshot, envelope: Envelope<Snapshot>) => void;
  umbler_update: (data: Update, envelope: Envelope<Update>) => void;
  umbler_stats: (data: Stats, envelope: Envelope<Stats>) => void;
  subscribed: (data: Subscribed, envelope: Envelope<Subscribed>) => void;
  unsubscribed: (data: { channels: string[] }, envelope: Envelope) => void;
  presence_update: (data: PresenceUpdate, envelope: Envelope<PresenceUpdate>) => void;
  presence_set: (data: { chat: string | null }, envelope: Envelope) => void;
  metrics_update: (data: MetricsUpdate, envelope: Envelope<MetricsUpdate>) => void;
  /** The same, merged into whole tables. */
  metrics: (data: Metrics) => void;
  replay_ended: (data: ReplayEnded, envelope: Envelope<ReplayEnded>) => void;
  resync_required: (data: { reason: string }, envelope: Envelope) => void;
  heartbeat: (data: { seq: number; sent: number }, envelope: Envelope) => void;
  /** Before the first one of a session the hub is `ok`. */
  hub_status: (data: HubStatus, envelope: Envelope<HubStatus>) => void;
  going_away: (data: { reason: string; retryAfterMs?: number }, envelope: Envelope) => void;
  token_expiring: (data: { expiresAt: string; secondsLeft?: number }, envelope: Envelope) => void;
  pong: (data: object, envelope: Envelope) => void;
}
