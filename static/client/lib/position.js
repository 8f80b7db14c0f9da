// @ts-check
/**
 * How far the stream of updates was heard. Kept in sessionStorage, so that a reload picks up where the page left off.
 *
 * A position counts as verified once the hub's count of sent updates agreed with ours. When it does not agree, what
 * is missing lies after the verified position: the client goes back there, and what comes again is not told again.
 */

/** @import { Runtime } from '../types.d.ts' */
/** @typedef {{ seq: number, epoch: string, scope: string | null }} Place */

const PREFIX = 'umbler-hub:position:';
/** The position is written at most this often; `pagehide` writes the last one. */
export const SAVE_INTERVAL_MS = 500;
/** Updates since the last verified position that are remembered; with more, some may be told twice. */
const REMEMBERED_MAX = 10_000;

export class Position {
  /** @type {Place | null} */
  #place = null;
  #verified = 0;
  /** Updates heard since the verified position. @type {Set<number>} */
  #heard = new Set();
  #runtime;
  #key;
  /** @type {unknown} */
  #timer = null;

  /** @param {Runtime} runtime @param {string | null} url null keeps it in memory only */
  constructor(runtime, url) {
    this.#runtime = runtime;
    this.#key = url === null ? null : PREFIX + url;
    this.#load();
  }

  /** Where to go on from; null where nothing was heard yet. @returns {Place | null} */
  get place() {
    return this.#place;
  }

  /** From here on the stream is heard. @param {number} seq @param {string} epoch @param {string | null} scope */
  start(seq, epoch, scope) {
    this.#place = { seq, epoch, scope };
    this.#verified = seq;
    this.#heard.clear();
    this.#saveSoon();
  }

  /** The hub replays from where we were. @param {string} epoch @param {string | null} scope */
  resume(epoch, scope) {
    if (this.#place !== null) this.#place = { ...this.#place, epoch, scope };
  }

  /** An update came. @param {number} seq @returns {boolean} true where it was not heard before */
  hear(seq) {
    if (this.#place === null) return true;
    const again = this.#heard.has(seq);
    if (this.#heard.size < REMEMBERED_MAX) this.#heard.add(seq);
    this.#place = { ...this.#place, seq: Math.max(seq, this.#place.seq) };
    this.#saveSoon();
    return !again;
  }

  /** The hub's count agreed: everything up to here was heard. @param {number} seq */
  verify(seq) {
    if (this.#place === null || seq < this.#place.seq) return;
    this.#place = { ...this.#place, seq };
    this.#verified = seq;
    this.#heard.clear();
    this.#saveSoon();
  }

  /** The hub's count did not agree. @returns {number | null} the position gone back to */
  rewind() {
    if (this.#place === null) return null;
    this.#place = { ...this.#place, seq: Math.min(this.#verified, this.#place.seq) };
    this.#saveSoon();
    return this.#place.seq;
  }

  /** Writes it now. */
  save() {
    if (this.#timer !== null) this.#runtime.clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#key === null || this.#runtime.storage === null) return;
    try {
      if (this.#place === null) this.#runtime.storage.removeItem(this.#key);
      else this.#runtime.storage.setItem(this.#key, JSON.stringify(this.#place));
    } catch {
      // Storage that is full or forbidden costs a snapshot after the next reload, nothing else.
    }
  }

  /** Forgets it, here and in storage. */
  clear() {
    this.#place = null;
    this.#heard.clear();
    this.save();
  }

  #saveSoon() {
    if (this.#key === null || this.#timer !== null) return;
    this.#timer = this.#runtime.setTimeout(() => this.save(), SAVE_INTERVAL_MS);
  }

  #load() {
    if (this.#key === null || this.#runtime.storage === null) return;
    try {
      const { seq, epoch, scope } = JSON.parse(this.#runtime.storage.getItem(this.#key) ?? 'null') ?? {};
      if (!Number.isSafeInteger(seq) || typeof epoch !== 'string') return;
      this.#place = { seq, epoch, scope: typeof scope === 'string' ? scope : null };
      this.#verified = seq;
    } catch {
      // Somebody else's entry, or none: the stream starts anew.
    }
  }
}
