// @ts-check
/**
 * The messages of one chat: an answer of the hub, and what updates told since it was asked for.
 *
 * An update knows more than an answer that was asked for before it came, and less than one that was asked for after it:
 * what is shown already may be older than what comes, since updates may have been missed.
 */

import { compareMessages } from '../client/lib/message-order.js';

/** @import { Message } from '../client/index.d.ts' */
/** @typedef {Map<string, Message>} Asked what updates told since then, by id */

/** Messages that are loaded, and kept on the page. */
export const MESSAGES_MAX = 50;

export class Thread {
  /** @type {Message[] | null} */ #messages = null;
  /** @type {Asked} */ #asked = new Map();

  /** Oldest first; null before anything is known. */
  get messages() {
    return this.#messages;
  }

  /** The hub is asked, now. @returns {Asked} for its answer */
  ask() {
    this.#asked = new Map();
    return this.#asked;
  }

  /** False where the hub was asked again meanwhile, or the chat is gone. @param {Asked} asked */
  waitsFor(asked) {
    return asked === this.#asked;
  }

  /** Takes over an answer. @param {Asked} asked @param {Message[]} messages the newest first */
  take(asked, messages) {
    if (!this.waitsFor(asked)) return;
    this.#messages = messages.toReversed();
    for (const message of asked.values()) this.#put(message);
  }

  /** An update told of a message. @param {Message} message */
  learn(message) {
    this.#asked.delete(message.id);
    this.#asked.set(message.id, message);
    const [oldest] = this.#asked.keys();
    if (this.#asked.size > MESSAGES_MAX) this.#asked.delete(oldest);
    this.#put(message);
  }

  /** The chat is not seen any more. */
  clear() {
    this.#messages = [];
    this.#asked = new Map();
  }

  /** @param {Message} message */
  #put(message) {
    const others = (this.#messages ?? []).filter(({ id }) => id !== message.id);
    const at = others.findLastIndex((other) => compareMessages(other, message) <= 0) + 1;
    this.#messages = others.toSpliced(at, 0, message).slice(-MESSAGES_MAX);
  }
}
