// @ts-check
/**
 * One session with the hub, from the first frame to the last: greeting, sign-in, subscription, catching up, and the
 * proof that the data path is alive. A session that is in doubt ends; its owner opens the next one.
 *
 * Everything here is decided in the order of the frames, without waiting: order on the wire is the truth.
 */

import { CLOSE, HubError, refusal } from './envelope.js';
import { Pulse } from './pulse.js';
import { ANSWER_MS, Requests } from './requests.js';
import { SignIn } from './sign-in.js';

/** @import { ConnectionEstablished, Envelope, Runtime, SnapshotLimits, Subscribed, User } from '../types.d.ts' */
/** @import { HubClock } from './hub-clock.js' */
/** @import { Link } from './link.js' */
/** @import { LinkEnd, LinkEvents } from './transport-websocket.js' */
/** @import { Done, Failed } from './requests.js' */
/** @import { TokenSource } from './tokens.js' */
/** @import { Place } from './position.js' */

/** A refused snapshot is asked for again after at most this, where the hub says that the trouble is temporary. */
export const SNAPSHOT_RETRY_MS = 2_000;

/**
 * @typedef {object} Plan what the owner wants of a session
 * @property {string[]} channels
 * @property {Place | null} place where to go on from
 * @property {boolean} snapshot
 * @property {Required<SnapshotLimits>} limits
 * @property {string | null | undefined} inView the chat that this screen shows
 */

/**
 * @typedef {object} End
 * @property {number} code
 * @property {boolean} greeted the hub was there; a proxy may open a socket and let nothing through
 * @property {'closed' | 'lost' | 'silent' | 'reopen' | 'unauthorized' | 'refused'} kind `lost`: an update is missing;
 *   `reopen`: at once, with another wish
 * @property {HubError} error
 * @property {number} [retryAfterMs]
 */

/**
 * @typedef {object} Owner
 * @property {Runtime} runtime
 * @property {HubClock} clock
 * @property {TokenSource} tokens
 * @property {() => Plan} plan
 * @property {(session: Session, hello: ConnectionEstablished) => void} greeted
 * @property {(session: Session, user: User) => void} signedIn before anything is asked for in the user's name
 * @property {(session: Session) => void} changed subscriptions are acknowledged, or the data is behind
 * @property {(session: Session, subscribed: Subscribed) => boolean} resumed true where a snapshot is needed
 * @property {(session: Session, subscribed: Subscribed) => boolean} joined updates are followed too from here on; true
 *   where a snapshot is needed
 * @property {(session: Session, envelope: Envelope) => void} heard
 * @property {(session: Session) => void} caughtUp nothing that was missed is missing any more
 * @property {(session: Session, seq: number) => void} verified
 * @property {(session: Session, error: HubError) => void} troubled told, not acted on
 * @property {(session: Session, error: HubError) => void} snapshotRefused
 * @property {(session: Session, end: End) => void} ended
 */

export class Session {
  /** @type {Owner} */ #owner;
  /** @type {Link} */ #link;
  /** @type {Pulse} */ #pulse;
  /** @type {Requests} */ #requests;
  /** @type {SignIn} */ #signIn;
  /** Updates that came on this session, to compare with the hub's count. */
  #updates = 0;
  #replayLeft = 0;
  #greeted = false;
  #begun = false;
  #hasAskedToSubscribe = false;
  #subscribed = false;
  #snapshotAsked = false;
  #snapshotSeen = false;
  /** Without a snapshot, what is held is not what the hub has. */
  #snapshotDue = false;
  /** What the snapshot that comes was, or will be, asked with. @type {Required<SnapshotLimits>} */ #limits;
  #caughtUp = false;
  #over = false;
  #tokenExpired = false;
  /** @type {number | undefined} */ #retryAfterMs;
  /** @type {unknown} */ #greetingTimer;
  /** @type {unknown} */ #snapshotTimer = null;

  /** @param {Owner} owner @param {(events: LinkEvents) => Link} open */
  constructor(owner, open) {
    const { runtime } = owner;
    this.#owner = owner;
    this.#limits = owner.plan().limits;
    this.#pulse = new Pulse(runtime, {
      probe: () => this.probe(),
      silent: () => this.#fail('silent', new HubError('connection_lost', 'the hub has fallen silent', TEMPORARY)),
    });
    this.#requests = new Requests(runtime, (event) => {
      this.#fail('silent', new HubError('connection_lost', `the hub did not answer ${event}`, TEMPORARY));
    });
    this.#signIn = new SignIn(runtime, owner.clock, owner.tokens, {
      authenticate: (token, done, failed) => this.request('authenticate', { token }, done, failed),
      admitted: () => this.#begin(),
      refused: (error) => this.#fail('unauthorized', error),
      failed: (error) => this.#fail('closed', error),
      troubled: (error) => owner.troubled(this, error),
    });
    this.#greetingTimer = runtime.setTimeout(() => {
      this.#fail('silent', new HubError('connection_lost', 'the hub did not greet', TEMPORARY));
    }, ANSWER_MS);
    this.#link = open({ heard: (envelope) => this.#hear(envelope), closed: (end) => this.#closed(end) });
  }

  get kind() {
    return this.#link.kind;
  }

  /** The token that the hub knows this session by; undefined before it was admitted. */
  get token() {
    return this.#link.kind === 'stream' ? this.#link.token : this.#signIn.token;
  }

  /** True once signed in, where that is needed. */
  get hasBegun() {
    return this.#begun;
  }

  /** True once subscriptions are acknowledged. */
  get isReady() {
    return this.#begun && (this.#subscribed || this.#owner.plan().channels.length === 0);
  }

  /** True once it has ended: what the hub was still asked, it did not refuse. */
  get isOver() {
    return this.#over;
  }

  /** True once the hub was asked for a channel: whatever is asked for later is live from then on. */
  get hasAskedToSubscribe() {
    return this.#hasAskedToSubscribe;
  }

  get isCaughtUp() {
    return this.#caughtUp;
  }

  /** A snapshot is on its way. */
  get awaitsSnapshot() {
    return this.#snapshotAsked;
  }

  /** What the snapshot on its way was asked with. */
  get snapshotLimits() {
    return this.#limits;
  }

  /**
   * Asks; the answer, or the refusal, comes to the callbacks before any later frame is heard.
   *
   * @param {string} event @param {object} data @param {Done} done @param {Failed} failed
   */
  request(event, data, done, failed) {
    this.#requests.send(this.#link, event, data, done, failed);
  }

  /**
   * Follows channels; the first time of a session, from where the last one ended.
   *
   * @param {string[]} channels @param {Done} done @param {Failed} failed
   */
  subscribe(channels, done, failed) {
    const first = !this.#hasAskedToSubscribe;
    this.#hasAskedToSubscribe = true;
    const place = first ? this.#owner.plan().place : null;
    const from = place === null ? {} : { since: place.seq, epoch: place.epoch, scope: place.scope ?? undefined };
    this.request(
      'subscribe_updates',
      { channels, ...from },
      (data) => {
        if (first) this.#acknowledged(data);
        else if (channels.includes('updates') && this.#owner.joined(this, data)) this.requestSnapshot(true);
        done(data);
      },
      (error) => {
        if (first) this.#hasAskedToSubscribe = false;
        failed(error);
      },
    );
  }

  /** Tells which chat this screen shows; a stream cannot. @param {string | null} chat */
  showsChat(chat) {
    if (this.#link.kind === 'stream') return;
    this.request(
      'set_presence',
      { chat },
      () => {},
      (error) => {
        if (!this.#over) this.#owner.troubled(this, error);
      },
    );
  }

  /** Asks for a snapshot, unless one is on its way. @param {boolean} due what is held is not current without it */
  requestSnapshot(due) {
    if (due) this.#snapshotDue = true;
    const falls = due && this.#caughtUp;
    if (falls) this.#caughtUp = false;
    if (!this.#snapshotAsked) this.#askForSnapshot();
    if (falls) this.#owner.changed(this);
  }

  /** Exchanges the token on the open connection. @param {string} token @param {Done} done @param {Failed} failed */
  authenticate(token, done, failed) {
    if (this.#link.kind === 'stream') {
      this.reopen();
      done({});
    } else {
      this.#signIn.exchange(token, done, failed);
    }
  }

  /** Is the hub there? Asked when there is a reason to doubt. */
  probe() {
    if (this.#over || !this.#begun) return;
    // Nothing can be asked on a stream; opening it anew from our position costs as little.
    if (this.#link.kind === 'stream') return this.reopen();
    if (this.#pulse.isProbing) return;
    this.#pulse.probing();
    this.#link.send('ping', {}, 'probe');
  }

  /** Ends this session so that the next one opens at once. */
  reopen() {
    this.#fail('reopen', new HubError('connection_lost', 'opened anew', TEMPORARY));
  }

  /** Ends it without a word to the owner. */
  close() {
    this.#finish(new HubError('disconnected', 'disconnected'));
    this.#link.close();
  }

  /** @param {Envelope} envelope */
  #hear(envelope) {
    if (this.#over) return;
    this.#pulse.heard(envelope.event !== 'pong');
    switch (envelope.event) {
      case 'connection_established':
        return this.#greet(envelope);
      case 'authenticated':
        this.#owner.signedIn(this, envelope.data.user);
        break;
      case 'umbler_update':
        this.#updates += 1;
        this.#replayLeft = Math.max(0, this.#replayLeft - 1);
        break;
      case 'heartbeat':
        if (!this.#agrees(envelope)) return;
        break;
      case 'error':
        return this.#refused(envelope);
      case 'subscribed':
        // A stream acknowledges without being asked.
        if (this.#link.kind === 'stream') this.#acknowledged(envelope.data);
        break;
      case 'umbler_data':
        this.#snapshotSeen = true;
        this.#snapshotAsked = this.#snapshotDue = false;
        break;
      case 'going_away':
        this.#retryAfterMs = envelope.data.retryAfterMs;
        break;
      case 'token_expiring':
        if (this.#link.kind === 'websocket') this.#signIn.renew();
        break;
      default:
    }
    if (this.#over) return;
    this.#requests.settle(envelope);
    if (this.#over) return;
    this.#owner.heard(this, envelope);
    if (this.#over) return;
    if (envelope.event === 'resync_required') this.#resync();
    this.#checkCaughtUp();
  }

  /** @param {Envelope<ConnectionEstablished>} envelope */
  #greet(envelope) {
    const { data } = envelope;
    this.#greeted = true;
    this.#owner.runtime.clearTimeout(this.#greetingTimer);
    this.#pulse.start((data.heartbeatSeconds ?? 25) * 1000);
    this.#owner.greeted(this, data);
    this.#owner.heard(this, envelope);
    if (this.#over) return;
    if (this.#link.kind === 'websocket' && data.authRequired) this.#signIn.begin();
    else this.#begin();
  }

  /** @param {Envelope} envelope */
  #refused(envelope) {
    if (this.#requests.settle(envelope)) return;
    // The close that follows says what to do.
    if (envelope.data.code === 'token_expired') this.#tokenExpired = true;
    else this.#owner.troubled(this, refusal(envelope));
  }

  /** Subscribes, and asks for a snapshot in the same breath where it is needed anyway. */
  #begin() {
    this.#begun = true;
    const { channels, place, snapshot, inView } = this.#owner.plan();
    if (this.#link.kind === 'stream') {
      // It brings a snapshot by itself, where it was asked to begin anew.
      if (snapshot || place === null) this.#expectSnapshot();
      return;
    }
    if (channels.length > 0) {
      this.subscribe(
        channels,
        () => {},
        (error) => this.#fail(error.temporary ? 'closed' : 'refused', error),
      );
    }
    if (snapshot) this.requestSnapshot(true);
    if (inView !== undefined) this.showsChat(inView);
    if (channels.length === 0) this.#owner.changed(this);
    this.#checkCaughtUp();
  }

  /** @param {Subscribed} subscribed */
  #acknowledged(subscribed) {
    this.#subscribed = true;
    this.#replayLeft = subscribed.recovered ? (subscribed.replayed ?? 0) : 0;
    const snapshotNeeded = this.#owner.resumed(this, subscribed);
    this.#owner.changed(this);
    if (!snapshotNeeded) return;
    if (this.#link.kind === 'stream') this.#expectSnapshot();
    else this.requestSnapshot(true);
  }

  #expectSnapshot() {
    if (!this.#snapshotSeen) this.#snapshotDue = this.#snapshotAsked = true;
  }

  #askForSnapshot() {
    if (this.#link.kind === 'stream') return this.reopen();
    this.#snapshotAsked = true;
    this.#limits = this.#owner.plan().limits;
    this.request(
      'request_umbler_data',
      this.#limits,
      () => {},
      (error) => {
        this.#snapshotAsked = false;
        if (this.#over) return;
        if (error.temporary) return this.#askForSnapshotSoon();
        this.#snapshotDue = false;
        this.#owner.snapshotRefused(this, error);
        this.#checkCaughtUp();
      },
    );
  }

  #askForSnapshotSoon() {
    const { runtime } = this.#owner;
    const wait = SNAPSHOT_RETRY_MS * (0.5 + runtime.random() / 2);
    this.#snapshotTimer = runtime.setTimeout(() => {
      if (!this.#snapshotAsked) this.#askForSnapshot();
    }, wait);
  }

  /** Updates were left out because this screen did not keep up. */
  #resync() {
    this.#replayLeft = 0;
    if (this.#owner.plan().snapshot) this.requestSnapshot(true);
  }

  /** @param {Envelope<{ seq: number, sent: number }>} envelope @returns {boolean} */
  #agrees({ data: { seq, sent } }) {
    if (sent === this.#updates) {
      this.#owner.verified(this, seq);
      return true;
    }
    const message = `the hub sent ${sent} updates, ${this.#updates} came`;
    this.#fail('lost', new HubError('updates_lost', message, TEMPORARY));
    return false;
  }

  #checkCaughtUp() {
    if (this.#over || this.#caughtUp || !this.isReady || this.#replayLeft > 0 || this.#snapshotDue) return;
    this.#caughtUp = true;
    this.#owner.caughtUp(this);
  }

  /** @param {LinkEnd} end */
  #closed({ code, message, status, retryAfterMs }) {
    if (this.#over) return;
    const expired = this.#tokenExpired || (status === 401 && this.#owner.tokens.canReplace(this.token));
    /** @type {End['kind']} */
    const kind = status === 401 && !expired ? 'unauthorized' : status === 403 ? 'refused' : 'closed';
    const closeCode = expired ? CLOSE.TOKEN_EXPIRED : code;
    const text = message || (status ? `the hub answered ${status}` : `the connection ended with ${code}`);
    const name = kind === 'closed' ? 'connection_lost' : kind === 'refused' ? 'forbidden' : kind;
    const error = new HubError(name, text, { temporary: kind === 'closed', closeCode });
    this.#finish(error);
    this.#owner.ended(this, this.#endOf(kind, closeCode, error, retryAfterMs));
  }

  /** Ends the session from this side. @param {End['kind']} kind @param {HubError} error */
  #fail(kind, error) {
    if (this.#over) return;
    this.#finish(error);
    this.#link.close();
    this.#owner.ended(this, this.#endOf(kind, 1006, error));
  }

  /** @param {End['kind']} kind @param {number} code @param {HubError} error @param {number} [retryAfterMs] @returns {End} */
  #endOf(kind, code, error, retryAfterMs = this.#retryAfterMs) {
    return { kind, code, error, greeted: this.#greeted, retryAfterMs };
  }

  /** @param {HubError} error */
  #finish(error) {
    this.#over = true;
    this.#pulse.stop();
    this.#signIn.stop();
    this.#owner.runtime.clearTimeout(this.#greetingTimer);
    if (this.#snapshotTimer !== null) this.#owner.runtime.clearTimeout(this.#snapshotTimer);
    this.#requests.fail(error);
  }
}

const TEMPORARY = Object.freeze({ temporary: true });
