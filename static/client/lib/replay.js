// @ts-check
/**
 * A stretch of the past, played by the hub on a socket of its own: the live line and its position are not touched.
 *
 * # Contract
 *
 * 1. It ends once, with `onEnd` or with `onError`; nothing is told after that.
 * 2. It does not come back by itself: whoever wants the rest asks for it anew.
 */

import { CLOSE, HubError, finalClose, refusal } from './envelope.js';
import { openLink } from './link.js';
import { Pulse } from './pulse.js';
import { ANSWER_MS, Requests } from './requests.js';
import { SignIn } from './sign-in.js';

/** @import { Envelope, ReplayEnded, ReplayOptions, Runtime } from '../types.d.ts' */
/** @import { HubClock } from './hub-clock.js' */
/** @import { Link } from './link.js' */
/** @import { TokenSource } from './tokens.js' */

export class Replay {
  #runtime;
  #options;
  #requests;
  #signIn;
  #pulse;
  /** @type {Link} */ #link;
  /** Until the hub has greeted. @type {unknown} */ #timer;
  #over = false;
  #tokenExpired = false;
  /** Updates that came, to compare with the hub's count. */ #updates = 0;
  /** The position of the last of them. */ #seq = 0;

  /** @param {Runtime} runtime @param {HubClock} clock @param {string} url @param {TokenSource} tokens @param {ReplayOptions} options */
  constructor(runtime, clock, url, tokens, options) {
    this.#runtime = runtime;
    this.#options = options;
    const lost = (/** @type {string} */ message) => this.#fail(new HubError('connection_lost', message, TEMPORARY));
    this.#requests = new Requests(runtime, (event) => lost(`the hub did not answer ${event}`));
    this.#pulse = new Pulse(runtime, {
      probe: () => {
        this.#pulse.probing();
        this.#link.send('ping', {}, 'probe');
      },
      silent: () => lost('the hub has fallen silent'),
    });
    this.#signIn = new SignIn(runtime, clock, tokens, {
      authenticate: (token, done, failed) => this.#requests.send(this.#link, 'authenticate', { token }, done, failed),
      admitted: () => this.#begin(),
      refused: (error) => this.#fail(error),
      failed: (error) => this.#fail(error),
      // The token at hand is still good for a while; the close that may follow tells.
      troubled: () => {},
    });
    this.#timer = runtime.setTimeout(() => lost('the hub did not greet'), ANSWER_MS);
    // An event stream brings no past: this needs a socket.
    this.#link = openLink(runtime, 'websocket', url, noWish, {
      heard: (envelope) => this.#hear(envelope),
      closed: ({ code, message }) => this.#closed(code, message),
    });
  }

  /** Ends it; `onEnd` says `stopped`. */
  stop() {
    this.#end({ reason: 'stopped', seq: this.#seq });
  }

  #begin() {
    const { channels, from, until, speed } = this.#options;
    const data = { channels, replayFrom: moment(from), replayUntil: moment(until), speed };
    this.#requests.send(
      this.#link,
      'subscribe_updates',
      data,
      ({ replay }) => {
        // A hub of an older version does not know of it, and would go on live.
        if (!replay) return this.#fail(new HubError('unsupported_event', 'this hub does not replay the past'));
        this.#options.onStart?.(replay);
      },
      (error) => this.#fail(error),
    );
  }

  /** @param {Envelope} envelope */
  #hear(envelope) {
    if (this.#over) return;
    const { event, data } = envelope;
    this.#pulse.heard(event !== 'pong');
    if (event === 'connection_established') return this.#greet(data);
    if (event === 'umbler_update') return this.#play(envelope);
    if (event === 'heartbeat' && data.sent !== this.#updates) {
      const message = `the hub sent ${data.sent} updates, ${this.#updates} came`;
      return this.#fail(new HubError('updates_lost', message, TEMPORARY));
    }
    if (event === 'replay_ended') return this.#end(data);
    if (event === 'token_expiring') return void this.#signIn.renew();
    if (this.#requests.settle(envelope) || event !== 'error') return;
    // The close that follows says what to do.
    if (data.code === 'token_expired') this.#tokenExpired = true;
    else this.#fail(refusal(envelope));
  }

  /** @param {{ heartbeatSeconds?: number, authRequired?: boolean }} hello */
  #greet({ heartbeatSeconds = 25, authRequired }) {
    this.#runtime.clearTimeout(this.#timer);
    this.#pulse.start(heartbeatSeconds * 1000);
    if (authRequired) this.#signIn.begin();
    else this.#begin();
  }

  /** @param {Envelope} envelope */
  #play(envelope) {
    this.#updates += 1;
    this.#seq = envelope.seq ?? this.#seq;
    this.#options.onUpdate?.(envelope.data, envelope);
  }

  /** @param {number} code @param {string} [message] */
  #closed(code, message) {
    const expired = this.#tokenExpired || code === CLOSE.TOKEN_EXPIRED;
    const lost = message || `the connection ended with ${code}`;
    const error = expired
      ? new HubError('unauthorized', 'the token has expired', { closeCode: CLOSE.TOKEN_EXPIRED })
      : (finalClose(code) ?? new HubError('connection_lost', lost, { temporary: true, closeCode: code }));
    this.#fail(error);
  }

  /** @param {ReplayEnded} end */
  #end(end) {
    if (this.#finish(new HubError('disconnected', 'the replay is over'))) this.#options.onEnd?.(end);
  }

  /** @param {HubError} error */
  #fail(error) {
    if (this.#finish(error)) this.#options.onError?.(error);
  }

  /** @param {HubError} reason @returns {boolean} false where it was over already */
  #finish(reason) {
    if (this.#over) return false;
    this.#over = true;
    this.#runtime.clearTimeout(this.#timer);
    this.#pulse.stop();
    this.#signIn.stop();
    this.#requests.fail(reason);
    this.#link.close();
    return true;
  }
}

const TEMPORARY = Object.freeze({ temporary: true });

/** Only an event stream has one. */
const noWish = () => ({ token: () => Promise.resolve(null), channels: [], limits: NO_LIMITS, place: null });
const NO_LIMITS = Object.freeze({ contacts: 0, chats: 0, messages: 0 });

/** @param {string | Date | undefined} at */
function moment(at) {
  return at instanceof Date ? at.toISOString() : at;
}
