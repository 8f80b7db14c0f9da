// @ts-check
/** Signing in on a socket, and staying signed in: the token is exchanged in place before it ends. */

import { HubError } from './envelope.js';

/** @import { Runtime } from '../types.d.ts' */
/** @import { HubClock } from './hub-clock.js' */
/** @import { TokenSource } from './tokens.js' */
/** @import { Done, Failed } from './requests.js' */

/** Without a word of the hub, a token is renewed this long before its end. */
export const RENEW_BEFORE_MS = 60_000;
/** The longest wait that browsers' timers know. */
const TIMER_MS_MAX = 2_147_483_647;

/**
 * @typedef {object} Desk
 * @property {(token: string, done: Done, failed: Failed) => void} authenticate sends it
 * @property {() => void} admitted
 * @property {(error: HubError) => void} refused for good, as far as tokens go
 * @property {(error: HubError) => void} failed not now
 * @property {(error: HubError) => void} troubled told, not acted on
 */

export class SignIn {
  #runtime;
  #clock;
  #tokens;
  #desk;
  #over = false;
  /** @type {string | undefined} */ #token;
  /** @type {unknown} */ #timer = null;

  /** @param {Runtime} runtime @param {HubClock} clock @param {TokenSource} tokens @param {Desk} desk */
  constructor(runtime, clock, tokens, desk) {
    this.#runtime = runtime;
    this.#clock = clock;
    this.#tokens = tokens;
    this.#desk = desk;
  }

  /** What the hub has admitted last; undefined before that. */
  get token() {
    return this.#token;
  }

  /** The first time on this socket. */
  begin() {
    this.#present(this.#tokens.get(), false);
  }

  /** The token at hand is about to end. Where this fails, the hub closes at its end, and the client comes back. */
  async renew() {
    if (!this.#tokens.canRenew) return;
    try {
      const token = await this.#tokens.renew('expiring');
      if (token !== null && !this.#over)
        this.exchange(
          token,
          () => {},
          (error) => this.#desk.troubled(error),
        );
    } catch (cause) {
      if (!this.#over) this.#desk.troubled(unavailable(cause));
    }
  }

  /** @param {string} token @param {Done} done @param {Failed} failed */
  exchange(token, done, failed) {
    const accepted = (/** @type {{ expiresAt: string | null }} */ data) => {
      this.#token = token;
      this.#renewBefore(data.expiresAt);
      done(data);
    };
    this.#desk.authenticate(token, accepted, failed);
  }

  stop() {
    this.#over = true;
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
  }

  /** @param {Promise<string | null>} asked @param {boolean} again the token before this one was refused */
  async #present(asked, again) {
    let token;
    try {
      token = await asked;
    } catch (cause) {
      if (!this.#over) this.#desk.failed(unavailable(cause));
      return;
    }
    if (this.#over) return;
    if (token === null) {
      return this.#desk.refused(new HubError('unauthorized', 'the hub wants a token, and there is none'));
    }
    this.exchange(
      token,
      () => this.#desk.admitted(),
      (error) => this.#turnedAway(error, token, again),
    );
  }

  /** @param {HubError} error @param {string} token @param {boolean} again */
  #turnedAway(error, token, again) {
    if (this.#over) return;
    if (error.temporary) return this.#desk.failed(error);
    this.#tokens.drop(token);
    // Another one was given meanwhile, and was not refused.
    if (this.#tokens.current !== null) return this.#present(this.#tokens.get(), again);
    if (again || !this.#tokens.canRenew) return this.#desk.refused(error);
    this.#present(this.#tokens.renew('refused'), true);
  }

  /** @param {string | null} expiresAt */
  #renewBefore(expiresAt) {
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
    this.#timer = null;
    if (!expiresAt) return;
    const left = Date.parse(expiresAt) - RENEW_BEFORE_MS - this.#clock.now();
    if (left > 0 && left < TIMER_MS_MAX) this.#timer = this.#runtime.setTimeout(() => this.renew(), left);
  }
}

/** @param {unknown} cause */
function unavailable(cause) {
  return new HubError('token_unavailable', 'the token provider failed', { temporary: true, cause });
}
