// @ts-check
/**
 * One connection for all components of a page that name the same hub: opened by the first that mounts, closed a moment
 * after the last is gone. The moment bridges what React does under StrictMode, and a change of pages.
 */

import hub, { DEFAULT_CHANNELS, UmblerHubClient } from '../index.js';

/** @import { HubOptions } from '../types.d.ts' */
/** @typedef {{ channels: readonly string[], autoConnect: boolean }} Wish */

/** How long a connection outlives the last component that used it. */
export const GRACE_MS = 500;

/** @type {Map<string, Share>} */
const shares = new Map();

/** @param {string | undefined} url none: the page's one connection @returns {Share} */
export function shareOf(url) {
  const key = url ?? '';
  const share = shares.get(key) ?? new Share(url ? new UmblerHubClient({ url }) : hub);
  shares.set(key, share);
  return share;
}

/** @param {boolean | readonly string[]} subscribe @returns {readonly string[]} */
export function channelsOf(subscribe) {
  if (typeof subscribe === 'boolean') return subscribe ? DEFAULT_CHANNELS : [];
  return subscribe;
}

class Share {
  /** Holders by channel. @type {Map<string, number>} */
  #followers = new Map();
  #holders = 0;
  /** A component opened the connection, so the last one closes it. */
  #isOurs = false;
  /** The token was taken away, and with it the connection. */
  #isSignedOut = false;
  /** @type {ReturnType<typeof setTimeout> | null} */
  #timer = null;

  /** @param {UmblerHubClient} client */
  constructor(client) {
    this.client = client;
    /** @param {() => void} listener */
    this.subscribe = (listener) => client.subscribeView(listener);
    this.getView = () => client.view;
  }

  /** A component is there. @param {Wish} wish @returns {() => void} it is gone */
  hold({ channels, autoConnect }) {
    const { client } = this;
    this.#holders += 1;
    for (const channel of channels) this.#followers.set(channel, (this.#followers.get(channel) ?? 0) + 1);
    if (channels.length > 0) client.subscribeToUpdates(channels);
    if (autoConnect) this.#connect();
    const follow = () => {
      // What updates are applied to.
      if (channels.includes('updates') && !client.isLive) client.requestUmblerData();
    };
    if (client.status !== 'disconnected' && client.status !== 'unauthorized') follow();
    const stopFollowing = client.on('status', (/** @type {string} */ status) => {
      if (status === 'connected') follow();
    });
    return () => {
      stopFollowing();
      this.#letGo(channels);
    };
  }

  /** A component names a token. @param {string} token @param {boolean} autoConnect */
  signIn(token, autoConnect) {
    const { client } = this;
    // Before the connection is opened; on an open one it is exchanged in place.
    if (client.status === 'connected') client.connect(token).catch(() => {});
    else client.configure({ token });
    const isOut = client.status === 'unauthorized' || (client.status === 'disconnected' && this.#isSignedOut);
    this.#isSignedOut = false;
    if (isOut && autoConnect) client.connect().catch(() => {});
  }

  /** A component that named a token names none any more: nothing of the user stays. */
  signOut() {
    this.#isSignedOut = true;
    this.client.disconnect();
    this.client.configure({ token: null });
  }

  #connect() {
    // Another component, or the page itself, may have opened it, or been refused.
    if (this.client.status !== 'disconnected') return;
    this.#isOurs = true;
    this.client.connect().catch(() => {});
  }

  /** @param {readonly string[]} channels */
  #letGo(channels) {
    this.#holders -= 1;
    for (const channel of channels) this.#followers.set(channel, (this.#followers.get(channel) ?? 1) - 1);
    this.#timer ??= setTimeout(() => this.#tidy(), GRACE_MS);
  }

  #tidy() {
    this.#timer = null;
    const gone = [...this.#followers].filter(([, count]) => count === 0).map(([channel]) => channel);
    for (const channel of gone) this.#followers.delete(channel);
    if (this.#holders === 0 && this.#isOurs) {
      this.#isOurs = false;
      this.client.disconnect();
    }
    if (gone.length > 0) this.client.unsubscribeFromUpdates(gone);
  }
}
