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

  /** True where a new token can be had. */
  get canRenew() {
    return this.#provider !== null;
  }

  /** The token at hand was refused or has expired. */
  drop() {
    this.#token = null;
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
