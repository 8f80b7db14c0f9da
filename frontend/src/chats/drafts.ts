/** What somebody began to write, for each chat: kept in this tab, and gone with it, or with the person it was written to. */

import hub, { type UmblerHubClient } from 'umbler-hub-client';
import { forTab } from 'umbler-hub-client/storage';

import { Store } from '../hub/store.ts';

interface Draft {
  text: string;
  /** Whose chat it was. */
  contactId: string | null;
}

const KEY = 'umbler-hub-drafts';

/** Where the browser keeps nothing, a draft lives as long as the page. */
export class DraftStore extends Store<ReadonlyMap<string, Draft>> {
  constructor(client: UmblerHubClient) {
    super(kept());
    client.on('umbler_update', ({ erasedContactId }) => {
      if (erasedContactId) this.#forget(erasedContactId);
    });
  }

  of(chat: string): string {
    return this.get().get(chat)?.text ?? '';
  }

  keep(chat: string, text: string, contactId: string | null) {
    const drafts = new Map(this.get());
    if (text === '') drafts.delete(chat);
    else drafts.set(chat, { text, contactId });
    this.#take(drafts);
  }

  #forget(contactId: string) {
    const left = [...this.get()].filter(([, draft]) => draft.contactId !== contactId);
    if (left.length < this.get().size) this.#take(new Map(left));
  }

  #take(drafts: ReadonlyMap<string, Draft>) {
    if (drafts.size === 0) forTab.removeItem(KEY);
    else forTab.setItem(KEY, JSON.stringify([...drafts]));
    this.set(drafts);
  }
}

export const drafts = new DraftStore(hub);

/** What this tab holds, whatever another page wrote there. */
function kept(): Map<string, Draft> {
  try {
    return new Map(JSON.parse(forTab.getItem(KEY) ?? '[]'));
  } catch {
    return new Map();
  }
}
