/** The directory of agents: page after page as it is asked for, and read again when it changes. */

import type { Member, UmblerHubClient, Update } from 'umbler-hub-client';

import { isMissing, reasonOf } from './errors.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export interface ListedMember extends Member {
  known: boolean;
  updatedAt: string | null;
}

export interface Members {
  members: ListedMember[] | null;
  total: number | null;
  hasMore: boolean;
  busy: boolean;
  failure: string | null;
  missing: boolean;
}

export interface MemberFilter {
  search: string;
  known: '' | 'true' | 'false';
}

export const PATH = '/api/umbler/members';
const PAGE = 100;
const NOTHING: Members = { members: null, total: null, hasMore: false, busy: false, failure: null, missing: false };

export class MemberStore extends Store<Members> {
  #client: UmblerHubClient;
  #filter: MemberFilter;
  #pages = 1;
  #cursor: string | null = null;
  #reading = 0;

  constructor(client: UmblerHubClient, filter: MemberFilter) {
    super(NOTHING);
    this.#client = client;
    this.#filter = filter;
  }

  /** Reads, and listens; the answer ends both. */
  open(): () => void {
    const stops = [
      this.#client.on('umbler_update', (update) => this.#update(update)),
      onStream(this.#client, ({ missed }) => {
        if (missed || this.get().failure !== null) void this.read();
      }),
    ];
    void this.read();
    return () => {
      this.#reading += 1;
      for (const stop of stops) stop();
    };
  }

  /** All pages that were asked for, from the first. */
  async read() {
    const reading = ++this.#reading;
    this.#change({ busy: true });
    try {
      let cursor: string | null = null;
      const members: ListedMember[] = [];
      for (let page = 0; page < this.#pages; page += 1) {
        const answer = await this.#ask(cursor);
        if (reading !== this.#reading) return;
        members.push(...answer.members);
        cursor = answer.nextCursor;
        this.#change({ total: answer.total });
        if (cursor === null) break;
      }
      this.#cursor = cursor;
      this.#change({ members, hasMore: cursor !== null, busy: false, failure: null });
    } catch (error) {
      if (reading === this.#reading) this.#fail(error);
    }
  }

  async more() {
    if (this.#cursor === null || this.get().busy) return;
    const reading = ++this.#reading;
    this.#change({ busy: true });
    try {
      const answer = await this.#ask(this.#cursor);
      if (reading !== this.#reading) return;
      this.#pages += 1;
      this.#cursor = answer.nextCursor;
      const members = [...(this.get().members ?? []), ...answer.members];
      this.#change({ members, total: answer.total, hasMore: answer.nextCursor !== null, busy: false, failure: null });
    } catch (error) {
      if (reading === this.#reading) this.#fail(error);
    }
  }

  #ask(cursor: string | null) {
    const { search, known } = this.#filter;
    return this.#client.get(PATH, {
      limit: PAGE,
      cursor: cursor ?? undefined,
      search: search || undefined,
      known: known || undefined,
    });
  }

  /** Who changed may stand elsewhere now, or not at all. */
  #update({ type, members }: Update) {
    if (type === 'member_updated' && members) void this.read();
  }

  #fail(error: unknown) {
    this.#change(isMissing(error) ? { busy: false, missing: true } : { busy: false, failure: reasonOf(error) });
  }

  #change(change: Partial<Members>) {
    this.set({ ...this.get(), ...change });
  }
}
