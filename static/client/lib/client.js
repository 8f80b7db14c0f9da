// @ts-check
/**
 * The hub as a page sees it: connect once, listen, and hold data that stays current.
 *
 * # Contract
 *
 * 1. Whatever happens to the connection, it comes back by itself, unless the hub said not to.
 * 2. An update is told once; after a loss, what was missed is fetched or the data is replaced, never skipped in silence.
 * 3. `status` and `dataAge()` say how far the data can be trusted.
 */

import { Connection } from './connection.js';
import { Emitter } from './emitter.js';
import { HubError } from './envelope.js';
import { Holdings } from './holdings.js';
import { HubClock } from './hub-clock.js';
import { Replay } from './replay.js';
import { askForFile, askForJson } from './rest.js';
import { browserRuntime } from './runtime.js';
import { TokenSource } from './tokens.js';
import { restBase, socketUrl } from './url.js';
import { ViewStore } from './view.js';

/** @import { HubOptions, Metrics, MetricsChannel, ReplayOptions, Runtime, SnapshotLimits, Status } from '../types.d.ts' */
/** @import { Session } from './session.js' */
/** @import { Done, Failed } from './requests.js' */

/** What is followed where nothing is said: every update, and the counters. */
export const DEFAULT_CHANNELS = Object.freeze(['updates', 'stats']);

export class UmblerHubClient {
  /** @type {Runtime} */ #runtime;
  /** @type {HubOptions} */ #options = {};
  /** @type {string | null} */ #url = null;
  #emitter = new Emitter();
  #tokens = new TokenSource();
  #clock;
  #holdings;
  #connection;
  #store;

  /** @param {HubOptions} [options] @param {Partial<Runtime>} [runtime] other surroundings than the browser, for tests */
  constructor(options = {}, runtime = {}) {
    this.#runtime = { ...browserRuntime(), ...runtime };
    this.#clock = new HubClock(this.#runtime);
    this.#holdings = new Holdings(this.#runtime, () => this.#store.touch());
    this.#connection = new Connection(this.#runtime, this.#clock, this.#tokens, this.#holdings, {
      changed: () => this.#store.touch(true),
      heard: (envelope) => {
        this.#emitter.emit(envelope.event, envelope.data, envelope);
        if (envelope.event === 'metrics_update') this.#tellMetrics(envelope.data.channel);
        this.#emitter.emit('*', envelope.data, envelope);
      },
      troubled: (error) => {
        this.#emitter.emit('error', error);
        this.#store.touch(true);
      },
    });
    this.#store = new ViewStore(
      this.#runtime,
      () => ({ status: this.#connection.status, data: this.data, error: this.error }),
      (before, now) => {
        if (before.data !== now.data) this.#emitter.emit('data', now.data);
        if (before.status !== now.status) this.#emitter.emit('status', now.status);
      },
    );
    this.configure(options);
  }

  /** @param {HubOptions} options what is not named stays as it is; without a connection, no token is a sign-out */
  configure(options) {
    this.#options = { ...this.#options, ...options };
    if (options.tokenProvider !== undefined) this.#tokens.setProvider(options.tokenProvider);
    if (options.token !== undefined) this.#tokens.set(options.token);
    // Signed out: whoever looks at the screen next may be somebody else.
    if (options.token === null && this.#connection.isStopped && this.user !== null) this.#connection.forgetUser();
    if (!this.#connection.isStopped && this.#moved()) {
      this.#connection.moveTo(this.#settle(), this.#options.transport ?? 'auto');
    }
    return this;
  }

  /**
   * Connects, signs in where the hub wants that, and subscribes. While connected, a new token is exchanged in place;
   * an event stream is opened anew with it.
   *
   * @param {string | null} [token]
   * @returns {Promise<void>} rejected where the hub refuses; a hub that does not answer is tried until it does
   */
  connect(token) {
    const known = this.#tokens.current;
    if (token) this.#tokens.set(token);
    const { session, hello } = this.#connection;
    const isNew = Boolean(token) && token !== known;
    if (token && isNew && session?.kind === 'websocket' && session.hasBegun && hello?.authRequired) {
      return this.#exchange(session, token, known);
    }
    try {
      // A stream carries its token in the request: with another token it is another stream.
      if (isNew && session?.kind === 'stream') {
        this.#connection.moveTo(this.#settle(), this.#options.transport ?? 'auto');
      }
      return this.#connection.start(this.#settle(), this.#options.transport ?? 'auto');
    } catch (error) {
      this.#connection.stop('disconnected', /** @type {HubError} */ (error));
      return Promise.reject(error);
    }
  }

  /** Closes the connection; what is held stays, and grows old. */
  disconnect() {
    this.#connection.stop('disconnected', new HubError('disconnected', 'disconnect() was called'), true);
  }

  /**
   * @param {string} event an event of the hub, or `status`, `data`, `error`, `*`
   * @param {Function} listener
   * @returns {() => void} stops listening
   */
  on(event, listener) {
    return this.#emitter.on(event, listener);
  }

  /** @param {string} event @param {Function} listener */
  off(event, listener) {
    this.#emitter.off(event, listener);
    return this;
  }

  /**
   * A fresh snapshot. From then on `data` is kept current, as far as updates are subscribed to.
   *
   * @param {SnapshotLimits} [limits]
   */
  requestUmblerData(limits) {
    const { isStopped, session } = this.#connection;
    if (isStopped) return handled(Promise.reject(new HubError('disconnected', 'connect first')));
    const snapshot = handled(this.#holdings.snapshots.want(limits));
    if (session?.hasBegun) session.requestSnapshot(false);
    return snapshot;
  }

  /** @param {readonly string[]} [channels] remembered, and subscribed to again after each reconnect */
  subscribeToUpdates(channels = DEFAULT_CHANNELS) {
    const followed = this.#holdings.channels;
    const added = channels.filter((channel) => !followed.has(channel));
    for (const channel of added) followed.add(channel);
    if (added.includes('updates')) this.#holdings.joinUpdates(this.#connection.session);
    return this.#ask(added, (session, done, failed) => {
      session.subscribe(added, done, (error) => {
        // The end of the session is no refusal: the next one subscribes to what is remembered.
        if (!error.temporary && !session.isOver) for (const channel of added) followed.delete(channel);
        failed(error);
      });
    });
  }

  /** @param {readonly string[]} [channels] all where none are named */
  unsubscribeFromUpdates(channels = [...this.#holdings.channels]) {
    const gone = channels.filter((channel) => this.#holdings.channels.delete(channel));
    this.#holdings.boards.drop(gone);
    if (gone.includes('updates')) this.#holdings.state.interrupt();
    return this.#ask(gone, (session, done, failed) => {
      session.request('unsubscribe_updates', { channels: gone }, done, failed);
    });
  }

  /** Tells others, who follow `presence`, which chat this screen shows. @param {string | null} chat */
  setPresence(chat) {
    this.#holdings.inView = chat;
    const { session } = this.#connection;
    if (session?.hasBegun) session.showsChat(chat);
  }

  /**
   * Reads a REST row, such as `/api/umbler/chats/ID/messages`.
   *
   * @param {string} path @param {Record<string, string | number | undefined>} [query]
   */
  async get(path, query = {}) {
    return askForJson(this.#runtime, restBase(this.url), path, await this.#tokens.get(), { query });
  }

  /**
   * Changes something through REST, where the token allows it.
   *
   * @param {'POST' | 'PUT' | 'DELETE'} method @param {string} path
   * @param {unknown} [body] a text and a `Blob` go as they are, everything else as JSON
   * @param {string} [type] what the text or the `Blob` is, such as `text/csv`
   * @param {{ ifMatch?: string }} [only] only where the hub has what this entity tag names, such as `"12"`
   */
  async send(method, path, body, type, { ifMatch } = {}) {
    const ask = { method, body, type, ifMatch };
    return askForJson(this.#runtime, restBase(this.url), path, await this.#tokens.get(), ask);
  }

  /**
   * Has a stretch of the past played, on a socket of its own: what is live goes on as it is.
   *
   * @param {ReplayOptions} options
   * @returns {{ stop(): void }}
   */
  replay(options) {
    return new Replay(this.#runtime, this.#clock, this.url, this.#tokens, options);
  }

  /**
   * A REST row as a file: a link could not carry the token.
   *
   * @param {string} path @param {Record<string, string | number | undefined>} [query] @param {string} [accept]
   */
  async download(path, query = {}, accept = '*/*') {
    return askForFile(this.#runtime, restBase(this.url), path, await this.#tokens.get(), { query, accept });
  }

  /** @returns {Status} */
  get status() {
    return this.#connection.status;
  }

  get isConnected() {
    return this.status === 'connected';
  }

  /** True while `data` is what the hub has. */
  get isLive() {
    return this.isConnected && this.#holdings.state.isCurrent && this.#holdings.channels.has('updates');
  }

  /** What is held, kept current; the same object while nothing changes. */
  get data() {
    return this.#holdings.state.data;
  }

  /**
   * The metrics of a channel that is subscribed to, such as `metrics:agents`, as whole tables; another object after each
   * `metrics` event.
   *
   * @param {MetricsChannel} channel
   * @returns {Metrics | null} null before its first frame
   */
  metrics(channel) {
    return this.#holdings.boards.get(channel);
  }

  /** The limits of the snapshot that is held. */
  get limits() {
    return this.#holdings.state.limits;
  }

  /** What went wrong last; null again once connected. */
  get error() {
    return this.#connection.error;
  }

  /** Who is signed in; null where the hub does not ask. */
  get user() {
    return this.#connection.user;
  }

  /** The hub's greeting: session, epoch, whether it wants a sign-in. */
  get hello() {
    return this.#connection.hello;
  }

  /** `websocket` or `stream`; null while there is none. */
  get transport() {
    return this.#connection.session?.kind ?? null;
  }

  /** The socket's address. */
  get url() {
    return this.#url ?? this.#resolve();
  }

  /**
   * What time it is on the hub, in milliseconds since 1970, however wrong this machine's clock is. Waits and days are to be
   * counted by it. Before the hub was heard it is this machine's time.
   */
  hubTime() {
    return this.#clock.now();
  }

  /** When the hub was last heard while the data was current, in milliseconds since 1970 by this machine; null before that. */
  get lastHeardAt() {
    return this.#connection.lastHeardAt;
  }

  /** How old the data may be, in milliseconds; null before there is any. */
  dataAge() {
    return this.#connection.silence;
  }

  /** Status, data and error in one object that is another when one of them is: for `useSyncExternalStore`. */
  get view() {
    return this.#store.view;
  }

  /** @param {() => void} listener told when `view` is another @returns {() => void} */
  subscribeView(listener) {
    return this.#store.subscribe(listener);
  }

  /** @param {MetricsChannel} channel */
  #tellMetrics(channel) {
    const metrics = this.metrics(channel);
    if (metrics !== null) this.#emitter.emit('metrics', metrics);
  }

  #resolve() {
    return socketUrl(this.#options.url, this.#runtime.pageUrl);
  }

  #moved() {
    return this.#resolve() !== this.#url;
  }

  /** The address to use from now on. */
  #settle() {
    const url = this.#resolve();
    if (url !== this.#url) this.#holdings.moveTo(url, this.#url === null, this.#options.keepPosition !== false);
    this.#url = url;
    return url;
  }

  /**
   * Asks the open session, if there is one; else the next one begins with what is remembered.
   *
   * @param {string[]} what
   * @param {(session: Session, done: Done, failed: Failed) => void} ask
   * @returns {Promise<void>}
   */
  #ask(what, ask) {
    const { session } = this.#connection;
    if (!session?.hasBegun || what.length === 0) return Promise.resolve();
    if (session.kind === 'stream') {
      session.reopen();
      return Promise.resolve();
    }
    return handled(new Promise((resolve, reject) => ask(session, () => resolve(undefined), reject)));
  }

  /** @param {Session} session @param {string} token @param {string | null} known @returns {Promise<void>} */
  #exchange(session, token, known) {
    return handled(
      new Promise((resolve, reject) => {
        session.authenticate(
          token,
          () => resolve(undefined),
          (error) => {
            if (error.code === 'forbidden') {
              // Another user: nothing of the first one may stay.
              this.#connection.forgetUser();
              session.reopen();
              return resolve(this.connect());
            }
            if (error.code === 'unauthorized') this.#tokens.set(known);
            reject(error);
          },
        );
      }),
    );
  }
}

/**
 * Whoever does not wait for it is not told of an unhandled rejection: the `error` event tells.
 *
 * @template T @param {Promise<T>} promise
 */
function handled(promise) {
  promise.catch(() => {});
  return promise;
}
