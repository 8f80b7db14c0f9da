// @ts-check
/** The user's token: a given one, or one that a provider gives. Several needs at once are one call of the provider. */

/** @import { TokenProvider } from '../types.d.ts' */

export class TokenSource {
  /** @type {string | null} */
  #token = null;
  /** @type {TokenProvider | null} */
  #provider = null;
  /** @type {Promise<string | null> | null} */
  #flight = null;

  /** @param {string | null} token */
  set(token) {
    this.#token = token || null;
  }

  /** @param {TokenProvider | null} provider */
  setProvider(provider) {
    this.#provider = provider;
  }

  /** The token at hand, if any. */
  get current() {
    return this.#token;
  }

  /** True where a provider gives new tokens. */
  get canRenew() {
    return this.#provider !== null;
  }

  /** True where another token than this one is at hand, or can be had. @param {string | null | undefined} token */
  canReplace(token) {
    return this.canRenew || (this.#token !== null && this.#token !== token);
  }

  /**
   * This token was refused or has expired. Another one, given meanwhile, is still good.
   *
   * @param {string | null | undefined} token undefined where nobody knows which it was
   */
  drop(token) {
    if (token === undefined || token === this.#token) this.#token = null;
  }

  /** The token at hand, else the provider's. @returns {Promise<string | null>} */
  get() {
    return this.#token === null ? this.renew('first') : Promise.resolve(this.#token);
  }

  /**
   * A new token of the provider; null where there is none to be had.
   *
   * @param {'first' | 'expiring' | 'refused'} reason
   * @returns {Promise<string | null>}
   */
  renew(reason) {
    const provider = this.#provider;
    if (provider === null) return Promise.resolve(null);
    this.#flight ??= Promise.resolve()
      .then(() => provider({ reason }))
      .then((token) => {
        if (this.#provider === provider) this.#token = token || null;
        return token || null;
      })
      .finally(() => {
        this.#flight = null;
      });
    return this.#flight;
  }
}
