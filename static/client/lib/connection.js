// @ts-check
/** Sessions one after the other: the connection comes back by itself, unless the hub said not to. */

import { CLOSE, HubError, finalClose } from './envelope.js';
import { openLink } from './link.js';
import { Retry } from './retry.js';
import { Session } from './session.js';
import { stopwatch } from './stopwatch.js';
import { Watch } from './watch.js';

/** @import { ConnectionEstablished, Envelope, HubOptions, Runtime, Status, User } from '../types.d.ts' */
/** @import { End, Owner } from './session.js' */
/** @import { Holdings } from './holdings.js' */
/** @import { HubClock } from './hub-clock.js' */
/** @import { TokenSource } from './tokens.js' */

/** Without a connection for so long, what is held is called stale. */
export const STALE_MS = 10_000;
/** New tokens that are refused in a row, after which no other is asked for. */
export const REFUSALS_MAX = 3;

/**
 * @typedef {object} ConnectionEvents
 * @property {() => void} changed status or error
 * @property {(envelope: Envelope) => void} heard
 * @property {(error: HubError) => void} troubled
 */
/** @typedef {{ promise: Promise<void>, resolve(): void, reject(error: Error): void }} Deferred */

export class Connection {
  #runtime;
  #clock;
  #tokens;
  #holdings;
  #events;
  #retry;
  #watch;
  #url = '';
  /** @type {HubOptions['transport']} */ #transport;
  /** @type {Session | null} */ #session = null;
  /** A WebSocket that is tried while a stream is in use. @type {Session | null} */ #upgrade = null;
  /** @type {ConnectionEstablished | null} */ #hello = null;
  /** @type {User | null} */ #user = null;
  /** @type {HubError | null} */ #error = null;
  /** @type {Deferred | null} */ #connecting = null;
  /** Null while connected or trying. @type {'disconnected' | 'unauthorized' | null} */ #stopped = 'disconnected';
  /** Was connected since `start`. */ #wasConnected = false;
  /** Has caught up since `start`. */ #settled = false;
  #isStale = false;
  /** Refused tokens in a row. */ #refusals = 0;
  /** When the hub was last heard while the data was current. @type {{ at: number, age: () => number } | null} */ #lastHeard =
    null;
  /** @type {unknown} */ #staleTimer = null;
  /** @type {unknown} */ #upgradeTimer = null;
  /** @type {Owner} */ #owner;

  /** @param {Runtime} runtime @param {HubClock} clock @param {TokenSource} tokens @param {Holdings} holdings @param {ConnectionEvents} events */
  constructor(runtime, clock, tokens, holdings, events) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#tokens = tokens;
    this.#holdings = holdings;
    this.#events = events;
    this.#retry = new Retry(runtime);
    this.#watch = new Watch(
      runtime,
      () => this.#woke(),
      () => holdings.position.save(),
    );
    this.#owner = {
      runtime,
      clock,
      tokens,
      plan: () => holdings.plan(),
      greeted: (session, hello) => this.#greeted(session, hello),
      signedIn: (session, user) => this.#signedIn(session, user),
      changed: () => this.#changed(),
      resumed: (_, subscribed) => holdings.resumed(subscribed),
      joined: (_, subscribed) => holdings.joined(subscribed),
      heard: (session, envelope) => this.#heard(session, envelope),
      caughtUp: (session) => this.#caughtUp(session),
      verified: (_, seq) => holdings.position.verify(seq),
      troubled: (_, error) => this.#tell(error),
      snapshotRefused: (_, error) => {
        holdings.snapshots.refuse(error, holdings.state.limits);
        this.#tell(error);
      },
      ended: (session, end) => this.#ended(session, end),
    };
  }

  get session() {
    return this.#session;
  }

  get hello() {
    return this.#hello;
  }

  get user() {
    return this.#user;
  }

  get error() {
    return this.#error;
  }

  get lastHeardAt() {
    return this.#lastHeard?.at ?? null;
  }

  /** Milliseconds since then. */
  get silence() {
    return this.#lastHeard?.age() ?? null;
  }

  get isStopped() {
    return this.#stopped !== null;
  }

  /** @returns {Status} */
  get status() {
    if (this.#stopped !== null) return this.#stopped;
    const session = this.#session;
    // The first time there is nothing to catch up with: the snapshot may still be on its way.
    if (session?.isCaughtUp || (!this.#settled && session?.isReady)) return 'connected';
    if (!this.#wasConnected) return 'connecting';
    return this.#isStale ? 'stale' : 'recovering';
  }

  /** Begins, or goes on trying. @param {string} url @param {HubOptions['transport']} transport @returns {Promise<void>} */
  start(url, transport) {
    if (this.status === 'connected') return Promise.resolve();
    if (this.#connecting !== null) return this.#connecting.promise;
    this.#connecting = deferred();
    const { promise } = this.#connecting;
    if (this.#stopped === null) return promise;
    this.#stopped = this.#error = null;
    this.#wasConnected = this.#settled = this.#isStale = false;
    this.#refusals = 0;
    this.#retry.reset();
    this.#watch.start();
    this.moveTo(url, transport);
    return promise;
  }

  /** Opens, or opens anew, at this address. @param {string} url @param {HubOptions['transport']} transport */
  moveTo(url, transport) {
    if (url !== this.#url) this.#lastHeard = null;
    this.#url = url;
    this.#transport = transport;
    this.#retry.cancel();
    this.#open();
  }

  /**
   * @param {'disconnected' | 'unauthorized'} status
   * @param {HubError} reason for those who wait
   * @param {boolean} [isWished] nothing went wrong
   */
  stop(status, reason, isWished = false) {
    this.#session?.close();
    this.#upgrade?.close();
    this.#session = this.#upgrade = null;
    this.#stopped = status;
    this.#retry.reset();
    this.#watch.stop();
    this.#clearTimers();
    this.#holdings.stop();
    this.#holdings.snapshots.refuse(reason, this.#holdings.snapshots.limits);
    this.#connecting?.reject(reason);
    this.#connecting = null;
    if (isWished) this.#error = null;
    else this.#tell(reason);
    this.#changed();
  }

  /** Nothing of this user may stay, not even for a frame. */
  forgetUser() {
    this.#user = this.#lastHeard = null;
    this.#holdings.forget();
    this.#events.changed();
  }

  #open() {
    this.#session?.close();
    this.#holdings.sessionOver();
    this.#session = this.#newSession(this.#retry.way(this.#transport));
    this.#changed();
  }

  /** @param {'websocket' | 'stream'} way */
  #newSession(way) {
    const wish = () => {
      const { channels, place, limits, snapshot } = this.#holdings.plan();
      return { token: () => this.#tokens.get(), channels, limits, place: snapshot ? null : place };
    };
    return new Session(this.#owner, (events) => openLink(this.#runtime, way, this.#url, wish, events));
  }

  /** @param {Session} session @param {ConnectionEstablished} hello */
  #greeted(session, hello) {
    if (session === this.#upgrade) {
      // WebSockets get through again: the stream has done its work.
      this.#session?.close();
      this.#holdings.sessionOver();
      this.#session = session;
      this.#upgrade = null;
    }
    this.#hello = hello;
  }

  /** @param {Session} session @param {User} user */
  #signedIn(session, user) {
    const isAnother = this.#user !== null && this.#user.id !== user.id;
    if (isAnother) this.forgetUser();
    this.#user = user;
    // It was opened with the position of the one before.
    if (isAnother && session.kind === 'stream') session.reopen();
  }

  /** @param {Session} session @param {Envelope} envelope */
  #heard(session, envelope) {
    this.#clock.hear(envelope);
    const isNews = this.#holdings.take(session, envelope, this.#hello?.epoch ?? null);
    if (envelope.event !== 'pong' && this.status === 'connected') this.#hearNow();
    if (isNews) this.#events.heard(envelope);
  }

  /** @param {Session} session */
  #caughtUp(session) {
    this.#holdings.caughtUp(session);
    this.#settled = true;
    this.#error = null;
    this.#refusals = 0;
    this.#changed();
  }

  /** @param {Session} session @param {End} end */
  #ended(session, end) {
    if (session === this.#upgrade) {
      this.#upgrade = null;
      return this.#upgradeLater();
    }
    this.#retry.ended(end, session.kind);
    this.#session = null;
    this.#holdings.sessionOver();
    const final = this.#finalReason(end, session.token);
    if (final !== null) {
      if (end.code === CLOSE.REVOKED) this.forgetUser();
      return this.stop(final.code === 'unauthorized' ? 'unauthorized' : 'disconnected', final);
    }
    if (end.kind === 'reopen') return this.#open();
    if (end.kind === 'lost') this.#holdings.lost();
    this.#retry.schedule(end, () => this.#open());
    this.#tell(this.#wasConnected || end.greeted ? end.error : this.#unreachable(end.error));
    this.#changed();
  }

  /**
   * Why not to come back; null where to come back.
   *
   * @param {End} end @param {string | null | undefined} token that the session was known by
   */
  #finalReason({ code, kind, error }, token) {
    if (kind === 'unauthorized' || kind === 'refused') return error;
    if (code !== CLOSE.TOKEN_EXPIRED) return finalClose(code);
    this.#tokens.drop(token);
    this.#refusals += 1;
    if (this.#tokens.canReplace(token) && this.#refusals < REFUSALS_MAX) return null;
    return new HubError('unauthorized', 'the token has expired', { closeCode: code });
  }

  /** @param {HubError} cause */
  #unreachable(cause) {
    const message = `the hub does not answer at ${this.#url} (tried ${this.#retry.attempts} times)`;
    return new HubError('unreachable', message, { temporary: true, cause });
  }

  #woke() {
    if (this.#session === null) this.#retry.hurry();
    else this.#session.probe();
  }

  #upgradeLater() {
    if (this.#transport === 'stream' || this.#upgrade !== null || this.#runtime.WebSocket === null) return;
    this.#upgradeTimer ??= this.#runtime.setTimeout(() => {
      this.#upgradeTimer = null;
      if (this.#session?.kind === 'stream') this.#upgrade = this.#newSession('websocket');
    }, this.#retry.upgradeWait());
  }

  /** @param {HubError} error */
  #tell(error) {
    this.#error = error;
    this.#events.troubled(error);
  }

  /** The status may be another one now: what follows from it follows here. */
  #changed() {
    const { status } = this;
    if (status === 'connected') this.#nowConnected();
    else if (status === 'recovering') this.#staleTimer ??= this.#runtime.setTimeout(() => this.#nowStale(), STALE_MS);
    this.#events.changed();
  }

  #nowConnected() {
    this.#wasConnected = true;
    this.#isStale = false;
    this.#hearNow();
    this.#retry.connected();
    if (this.#staleTimer !== null) this.#runtime.clearTimeout(this.#staleTimer);
    this.#staleTimer = null;
    if (this.#session?.kind === 'stream') this.#upgradeLater();
    const connecting = this.#connecting;
    this.#connecting = null;
    connecting?.resolve();
  }

  #hearNow() {
    this.#lastHeard = { at: this.#runtime.now(), age: stopwatch(this.#runtime) };
  }

  #nowStale() {
    this.#staleTimer = null;
    this.#isStale = true;
    this.#events.changed();
  }

  #clearTimers() {
    for (const timer of [this.#staleTimer, this.#upgradeTimer]) {
      if (timer !== null) this.#runtime.clearTimeout(timer);
    }
    this.#staleTimer = this.#upgradeTimer = null;
  }
}

/** @returns {Deferred} */
function deferred() {
  let settle = { resolve() {}, reject(/** @type {Error} */ _error) {} };
  const promise = /** @type {Promise<void>} */ (
    new Promise((resolve, reject) => {
      settle = { resolve: () => resolve(undefined), reject };
    })
  );
  // Whoever does not wait is told by `status` and `error`.
  promise.catch(() => {});
  return { promise, ...settle };
}
