// @ts-check
/** What this screen follows and holds: channels, the position in the stream, and the data. */

import { Boards } from './boards.js';
import { Position } from './position.js';
import { Snapshots } from './snapshots.js';
import { HubState } from './state.js';

/** @import { Envelope, Runtime, Subscribed } from '../types.d.ts' */
/** @import { Plan, Session } from './session.js' */

/** Where a fresh snapshot would tell more than what is held, one is asked for after this, and at most this often. */
export const REFILL_MS = 2_000;

export class Holdings {
  /** @type {Set<string>} */ channels = new Set();
  /** The chat that this screen shows, for others to see; undefined where nobody said. @type {string | null | undefined} */ inView;
  boards = new Boards();
  state = new HubState();
  snapshots = new Snapshots();
  /** @type {Position} */ position;
  #runtime;
  #changed;
  /** In this session, a snapshot of an earlier position lacks updates that never came. */ #joinedAt = 0;
  /** @type {unknown} */ #refillTimer = null;

  /** @param {Runtime} runtime @param {() => void} changed the data is other than before */
  constructor(runtime, changed) {
    this.#runtime = runtime;
    this.#changed = changed;
    this.position = new Position(runtime, null);
  }

  /** What the next session has to bring. @returns {Plan} */
  plan() {
    const { inView } = this;
    const { wanted, limits, isAwaited } = this.snapshots;
    const snapshot = isAwaited || (wanted && !this.state.isCurrent);
    return { channels: [...this.channels], place: this.position.place, snapshot, limits, inView };
  }

  /** The stream goes on. @param {Subscribed} subscribed @returns {boolean} true where a snapshot is needed */
  resumed({ seq, epoch, scope, recovered }) {
    const { data } = this.state;
    const scopeBefore = this.position.place?.scope ?? data.scope;
    this.#joinedAt = 0;
    // What another token was allowed to see may be more than this one is.
    if (scopeBefore !== null && scopeBefore !== scope) {
      this.#clear();
      this.#changed();
    }
    if (recovered) {
      this.position.resume(epoch, scope);
    } else {
      const missedNothing = data.epoch === epoch && data.scope === scope && data.seq !== null && data.seq >= seq;
      this.position.start(seq, epoch, scope);
      if (!missedNothing) this.state.interrupt();
    }
    return this.snapshots.wanted && !this.state.isCurrent;
  }

  /**
   * Updates are followed from now on, and were not until now. What came meanwhile is in no update: neither in those that
   * come next, nor in those after a position, since that moved on without them.
   *
   * @param {Session | null} session
   */
  joinUpdates(session) {
    // The first answer of a session without a position tells whether anything is missing.
    if (session?.hasAskedToSubscribe || this.position.place !== null) this.state.interrupt();
  }

  /** The session follows updates as well. @param {Subscribed} subscribed @returns {boolean} true where a snapshot is needed */
  joined({ seq }) {
    this.#joinedAt = seq;
    const { isCurrent, data } = this.state;
    if (isCurrent && (data.seq ?? 0) < seq) this.state.interrupt();
    return this.snapshots.wanted && !this.state.isCurrent;
  }

  /**
   * Takes in one frame.
   *
   * @param {Session} session @param {Envelope} envelope @param {string | null} epoch of the session
   * @returns {boolean} false for an update that was told before
   */
  take(session, envelope, epoch) {
    const { event, data } = envelope;
    if (event === 'umbler_update') return this.#update(session, envelope);
    if (event === 'umbler_data') {
      const complete = this.snapshots.take(this.state, data, session.snapshotLimits);
      if (data.seq < this.#joinedAt) this.state.interrupt();
      if (!complete || !this.state.isCurrent) session.requestSnapshot(!this.state.isCurrent);
      // Updates that came while it was on its way may tell of what it does not hold.
      this.#refillWhereDoubtful(session);
      // A new token may have changed what this user sees.
      if (this.position.place?.epoch === data.epoch) this.position.resume(data.epoch, data.scope);
      this.#changed();
    } else if (event === 'presence_update') {
      this.state.meet(data);
      this.#changed();
    } else if (event === 'umbler_stats') {
      if (this.state.count(data, epoch)) this.#changed();
    } else if (event === 'metrics_update') {
      this.boards.take(data);
    } else if (event === 'resync_required') {
      this.state.interrupt();
    }
    return true;
  }

  /** An update went missing: back to where the hub's count and ours agreed. */
  lost() {
    const seq = this.position.rewind();
    if (seq === null) this.state.interrupt();
    else this.state.rewind(seq);
  }

  /** Another hub: nothing of the old one stays. @param {string} url @param {boolean} isFirst @param {boolean} keep */
  moveTo(url, isFirst, keep) {
    if (!isFirst) this.#clear();
    this.position.save();
    this.position = new Position(this.#runtime, keep ? url : null);
  }

  /** Another user, or one that may see nothing any more. */
  forget() {
    this.#clear();
    this.position.clear();
    this.#changed();
  }

  /** Nothing that was missed is missing any more. @param {Session} session */
  caughtUp(session) {
    this.#refillWhereDoubtful(session);
  }

  /** What this session was asked for, or was to be asked for, does not come: the next one is asked. */
  sessionOver() {
    this.snapshots.forget();
    if (this.#refillTimer !== null) this.#runtime.clearTimeout(this.#refillTimer);
    this.#refillTimer = null;
  }

  stop() {
    this.position.save();
    this.sessionOver();
  }

  #clear() {
    this.state.clear();
    this.boards.clear();
  }

  /** @param {Session} session @param {Envelope} envelope */
  #update(session, envelope) {
    if (session.awaitsSnapshot) this.snapshots.keep(envelope);
    if (this.state.apply(envelope)) this.#changed();
    this.#refillWhereDoubtful(session);
    return this.position.hear(envelope.seq ?? 0);
  }

  /** @param {Session} session */
  #refillWhereDoubtful(session) {
    if (!this.state.isDoubtful || !this.snapshots.wanted) return;
    this.#refillTimer ??= this.#runtime.setTimeout(() => {
      this.#refillTimer = null;
      if (this.state.isDoubtful && session.isCaughtUp) session.requestSnapshot(false);
    }, REFILL_MS);
  }
}
