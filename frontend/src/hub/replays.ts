/**
 * A stretch of the past as it went: the open chats of its first moment, and from then on what the hub plays. The live
 * connection is not touched. What is paused goes on from where it was, on a stretch of its own.
 */

import {
  erasedChat,
  erasedContact,
  erasedMessage,
  type Chat,
  type UmblerHubClient,
  type Update,
} from 'umbler-hub-client';

import { reasonOf } from './errors.ts';
import { read } from './reads.ts';
import { Store } from './store.ts';

export const SPEEDS = [1, 10, 60, 600] as const;
export type Speed = (typeof SPEEDS)[number];

export interface Playing {
  /** `reading`: the chats of the first moment are not here yet. */
  phase: 'reading' | 'playing' | 'paused' | 'ended';
  /** The moment that it was begun at, as the address has it. */
  begun: string;
  from: number;
  /** How far it is. */
  at: number;
  /** Null until the hub has said so. */
  until: number | null;
  speed: Speed;
  /** Updates that were played. */
  played: number;
  chats: Chat[];
  failure: string | null;
  /** The hub keeps no updates of then, or none further on. */
  isOver: boolean;
}

type Run = ReturnType<UmblerHubClient['replay']>;

const PAGE = 200;
const PATH = '/api/umbler/chats';
/** So often the clock goes on between two updates. */
const TICK_MS = 200;

export class ReplayStore extends Store<Playing | null> {
  #client: UmblerHubClient;
  #chats = new Map<string, Chat>();
  #state: Playing | null = null;
  #run: Run | null = null;
  #reading = 0;
  #ticking: ReturnType<typeof setInterval> | null = null;
  /** When the last update came, on a clock that nobody sets; null while the hub has not begun. */
  #cameAt: number | null = null;
  /** When that was, and its position: what is paused goes on from it, so that nothing is passed over. */
  #lastAt = 0;
  #seq = 0;
  /** Where the clock stood as it went on. */
  #floor = 0;
  #listeners = new Set<(update: Update) => void>();
  /** Whoever was erased since it was begun is not played: what is on its way may still hold the person. */
  #erased = new Set<string>();

  constructor(client: UmblerHubClient) {
    super(null);
    this.#client = client;
    client.on('status', (status) => {
      if (status === 'unauthorized') this.stop();
    });
    client.on('umbler_update', ({ erasedContactId }) => {
      if (erasedContactId && this.#state !== null) this.#erase(erasedContactId);
    });
  }

  /** Each update as it is played. */
  follow = (listener: (update: Update) => void) => {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  };

  /** Reads how things stood, then plays. */
  async begin(begun: string, speed: Speed) {
    this.stop();
    const reading = this.#reading;
    const from = Date.parse(begun);
    [this.#lastAt, this.#seq] = [from, 0];
    this.#state = {
      phase: 'reading',
      begun,
      from,
      at: from,
      until: null,
      speed,
      played: 0,
      chats: [],
      failure: null,
      isOver: false,
    };
    this.set(this.#state);
    try {
      let cursor: string | undefined;
      do {
        const page: { chats: Chat[]; nextCursor: string | null } = await read(PATH, {
          at: begun,
          status: 'open',
          limit: PAGE,
          cursor,
        });
        if (reading !== this.#reading) return;
        for (const chat of page.chats) this.#chats.set(chat.id, this.#leftOf(chat));
        cursor = page.nextCursor ?? undefined;
      } while (cursor !== undefined);
      this.play();
    } catch (error) {
      if (reading === this.#reading) this.#change({ phase: 'paused', failure: reasonOf(error) });
    }
  }

  /** From where it is. */
  play() {
    const state = this.#state;
    if (state === null || this.#run !== null) return;
    this.#floor = state.at;
    this.#cameAt = null;
    this.#change({ phase: 'playing', failure: null });
    const run: Run = this.#client.replay({
      from: new Date(this.#lastAt),
      ...(state.until === null ? {} : { until: new Date(state.until) }),
      speed: state.speed,
      onStart: ({ until }) =>
        this.#of(run, () => {
          this.#cameAt = performance.now();
          this.#change({ until: Date.parse(until) });
        }),
      onUpdate: (update, { seq, timestamp }) => this.#of(run, () => this.#take(update, seq ?? 0, timestamp)),
      onEnd: ({ reason }) =>
        this.#of(run, () => {
          this.#halt();
          if (reason === 'done') this.#change({ phase: 'ended', at: this.#state?.until ?? this.#lastAt });
          else this.#change({ phase: 'paused', isOver: reason === 'gone' });
        }),
      onError: (error) =>
        this.#of(run, () => {
          this.#halt();
          this.#change({ phase: 'paused', failure: reasonOf(error), isOver: error.reason === 'too_old' });
        }),
    });
    this.#run = run;
    this.#ticking = setInterval(() => this.#tell(), TICK_MS);
  }

  pause() {
    if (this.#run === null) return;
    const at = this.#clock();
    this.#halt();
    this.#change({ phase: 'paused', at });
  }

  setSpeed(speed: Speed) {
    if (this.#state === null) return;
    const wasPlaying = this.#run !== null;
    if (wasPlaying) this.pause();
    this.#change({ speed });
    if (wasPlaying) this.play();
  }

  /** Nothing of it stays. */
  stop() {
    this.#reading += 1;
    this.#halt();
    this.#chats.clear();
    this.#erased.clear();
    this.#state = null;
    if (this.get() !== null) this.set(null);
  }

  /** What a run says after it was halted is of no interest. */
  #of(run: Run, then: () => void) {
    if (this.#run === run) then();
  }

  #halt() {
    const run = this.#run;
    this.#run = null;
    run?.stop();
    if (this.#ticking !== null) clearInterval(this.#ticking);
    this.#ticking = null;
  }

  #erase(contactId: string) {
    this.#erased.add(contactId);
    for (const [id, chat] of this.#chats) this.#chats.set(id, this.#leftOf(chat));
    this.#tell();
  }

  #leftOf(chat: Chat): Chat {
    return this.#erased.has(chat.contactId ?? '') ? erasedChat(chat) : chat;
  }

  #leftOfUpdate(update: Update): Update {
    const { chat, contact, message, otherMessages } = update;
    if (!this.#erased.has(contact?.id ?? '') && !this.#erased.has(chat?.contactId ?? '')) return update;
    return {
      ...update,
      chat: chat && this.#leftOf(chat),
      contact: contact && erasedContact(contact),
      ...(message && { message: erasedMessage(message) }),
      ...(otherMessages && { otherMessages: otherMessages.map(erasedMessage) }),
    };
  }

  #take(played: Update, seq: number, timestamp: string | undefined) {
    const update = this.#leftOfUpdate(played);
    const { type, chat } = update;
    const state = this.#state;
    // It was played before the pause.
    if (state === null || seq <= this.#seq) return;
    this.#seq = seq;
    this.#lastAt = timestamp === undefined ? this.#lastAt : Date.parse(timestamp);
    this.#cameAt = performance.now();
    state.played += 1;
    if (chat) {
      if (type !== 'chat_gone' && chat.open) this.#chats.set(chat.id, chat);
      else this.#chats.delete(chat.id);
    }
    for (const listener of [...this.#listeners]) listener(update);
    this.#tell();
  }

  /** Between two updates time goes on as fast as it is played; the hub sends the next one before it is passed. */
  #clock(): number {
    const state = this.#state;
    if (state === null) return 0;
    if (this.#run === null) return state.at;
    const passed = this.#cameAt === null ? 0 : performance.now() - this.#cameAt;
    return Math.min(Math.max(this.#floor, this.#lastAt + passed * state.speed), state.until ?? Infinity);
  }

  #change(change: Partial<Playing>) {
    if (this.#state === null) return;
    this.#state = { ...this.#state, ...change };
    this.#tell();
  }

  #tell() {
    this.soon(() =>
      this.#state === null
        ? null
        : { ...this.#state, at: this.#run === null ? this.#state.at : this.#clock(), chats: [...this.#chats.values()] },
    );
  }
}
