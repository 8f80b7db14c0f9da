/** Deadlines that have passed: read once, then kept by updates. The hub's alone: nothing here decides what is an alert. */

import { sortKey, type Alert, type AlertKind, type UmblerHubClient, type Update } from 'umbler-hub-client';

import { isMissing, reasonOf } from './errors.ts';
import { inOrder } from './in-order.ts';
import { namesOf, renamed } from './names.ts';
import { read } from './reads.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';

export interface Alerts {
  /** Active ones, the latest first; null before they are read. */
  alerts: Alert[] | null;
  missing: boolean;
  failure: string | null;
}

/** A chat whose alerts are being read, and what updates told meanwhile: the answer is older. */
interface Entering {
  chatId: string;
  gone: boolean;
  dropped: Set<string>;
}

export const PATH = '/api/umbler/alerts';
const PAGE = 200;
const RETRY_MS = 5000;
const NOTHING: Alerts = { alerts: null, missing: false, failure: null };

/** Of one clock: whoever is late has been near before, and is told of once. */
const PASSED: Partial<Record<AlertKind, AlertKind>> = {
  waiting_warn: 'waiting',
  first_response_near: 'first_response_missed',
};

/** Without those that a later alert of the same chat and clock has made plain. */
export function pressing(alerts: Alert[]): Alert[] {
  const active = new Set(alerts.map(({ chatId, kind }) => `${kind} ${chatId}`));
  return alerts.filter(({ chatId, kind }) => !active.has(`${PASSED[kind]} ${chatId}`));
}

export class AlertStore extends Store<Alerts> {
  #known = new Map<string, Alert>();
  #loaded = false;
  #failure: string | null = null;
  /** Up to here nothing was missed, as text that sorts; null before the list was read once. */
  #heardUntil: string | null = null;
  #reading = 0;
  /** Updates that came while the list was read; those up to its position are in it. */
  #meanwhile: { seq: number; update: Update }[] = [];
  #entering = new Set<Entering>();
  #listeners = new Set<(alert: Alert) => void>();
  #contactOf: (chat: string) => string | null | undefined;

  /** `contactOf` a chat; undefined where that is not known. */
  constructor(client: UmblerHubClient, contactOf: (chat: string) => string | null | undefined = () => undefined) {
    super(NOTHING);
    this.#contactOf = contactOf;
    onStream(client, ({ missed }) => {
      if (missed || !this.#loaded) void this.read();
    });
    client.on('umbler_update', (update, { seq, timestamp }) => {
      this.#update(update, seq ?? 0, timestamp);
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.#forget();
    });
  }

  /** Told of each alert that is raised while this screen looks on. */
  onRaised(listener: (alert: Alert) => void): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  async read() {
    const reading = ++this.#reading;
    this.#loaded = false;
    this.#meanwhile = [];
    try {
      const found = new Map<string, Alert>();
      let cursor: string | undefined;
      let asOf: number | null = null;
      do {
        const page: { alerts: Alert[]; nextCursor: string | null; asOfSeq: number } = await read(PATH, {
          state: 'active',
          limit: PAGE,
          cursor,
        });
        if (reading !== this.#reading) return;
        for (const alert of page.alerts) found.set(alert.id, alert);
        cursor = page.nextCursor ?? undefined;
        asOf ??= page.asOfSeq;
      } while (cursor !== undefined);
      const raised = new Map(this.#missedIn(found).map((alert) => [alert.id, alert]));
      this.#known = found;
      this.#loaded = true;
      for (const { seq, update } of this.#meanwhile) {
        if (seq <= (asOf ?? 0)) continue;
        this.#apply(update);
        if (update.type === 'alert_raised' && update.alert) raised.set(update.alert.id, update.alert);
      }
      this.#hear([...found.values(), ...raised.values()].map(({ raisedAt }) => raisedAt));
      this.#failure = null;
      this.#tell();
      this.#ring([...raised.values()].filter(({ id }) => this.#known.has(id)));
    } catch (error) {
      if (reading !== this.#reading) return;
      if (isMissing(error)) return this.set({ ...NOTHING, missing: true });
      this.#failure = reasonOf(error);
      this.#tell();
      setTimeout(() => {
        if (reading === this.#reading) void this.read();
      }, RETRY_MS);
    }
  }

  /** An answer to an acknowledgement. The update may have come first. */
  take(alert: Alert) {
    const known = this.#known.get(alert.id);
    // It may have been on its way while the person was erased: the name that is here is no older.
    if (known)
      this.#apply({
        type: alert.clearedAt === null ? 'alert_acknowledged' : 'alert_cleared',
        alert: { ...alert, contactName: known.contactName },
      });
    this.#tell();
  }

  /** What was raised while nobody listened here. What came into sight since is older, and no news. */
  #missedIn(found: Map<string, Alert>): Alert[] {
    const until = this.#heardUntil;
    if (until === null) return [];
    return [...found.values()]
      .filter((alert) => !this.#known.has(alert.id) && alert.acknowledgedAt === null && sortKey(alert.raisedAt) > until)
      .sort((a, b) => inOrder(sortKey(a.raisedAt), sortKey(b.raisedAt)));
  }

  #hear(moments: (string | undefined)[]) {
    this.#heardUntil = [this.#heardUntil ?? '', ...moments.map(sortKey)].sort(inOrder).at(-1) ?? '';
  }

  #ring(raised: Alert[]) {
    for (const alert of raised) for (const listener of this.#listeners) listener(alert);
  }

  #update(update: Update, seq: number, timestamp: string | undefined) {
    if (this.get().missing) return;
    if (update.erasedContactId) this.#erase(update.erasedContactId);
    if (!this.#loaded) {
      this.#meanwhile.push({ seq, update });
      return;
    }
    this.#hear([timestamp]);
    if (this.#apply(update)) this.#tell();
    if (update.type === 'alert_raised' && update.alert) this.#ring([update.alert]);
  }

  /** Alerts tell the name of their contact and not its id: where that is not known the name goes too, until it is read anew. */
  #erase(contactId: string) {
    for (const [id, known] of this.#known)
      if ((this.#contactOf(known.chatId) ?? contactId) === contactId)
        this.#known.set(id, { ...known, contactName: null });
    // Also those that are shown while a list is read.
    const { alerts } = this.get();
    if (alerts !== null) this.set({ ...this.get(), alerts: alerts.map((one) => this.#known.get(one.id) ?? one) });
    void this.read();
  }

  /** True where something changed. */
  #apply({ type, alert, chat, members }: Pick<Update, 'type' | 'alert'> & Partial<Update>): boolean {
    if (alert) {
      if (alert.clearedAt === null) this.#known.set(alert.id, alert);
      else this.#drop(alert.id);
      return true;
    }
    if (type === 'chat_gone' && chat) {
      const gone = [...this.#known.values()].filter(({ chatId }) => chatId === chat.id);
      for (const { id } of gone) this.#drop(id);
      for (const entering of this.#entering) if (entering.chatId === chat.id) entering.gone = true;
      return gone.length > 0;
    }
    if (type === 'chat_entered' && chat) void this.#enter(chat.id);
    if (members) {
      const names = namesOf(members);
      for (const [id, known] of this.#known) this.#known.set(id, { ...known, owner: renamed(known.owner, names) });
    }
    return members !== undefined;
  }

  /** A chat came into sight, and its alerts with it. */
  async #enter(chatId: string) {
    const reading = this.#reading;
    const entering: Entering = { chatId, gone: false, dropped: new Set() };
    this.#entering.add(entering);
    const { alerts } = await read(PATH, { state: 'active', chatId, limit: PAGE }).catch(() => ({ alerts: [] }));
    this.#entering.delete(entering);
    if (reading !== this.#reading || entering.gone) return;
    for (const alert of alerts as Alert[])
      if (!this.#known.has(alert.id) && !entering.dropped.has(alert.id)) this.#known.set(alert.id, alert);
    this.#tell();
  }

  #drop(id: string) {
    this.#known.delete(id);
    for (const { dropped } of this.#entering) dropped.add(id);
  }

  #forget() {
    this.#reading += 1;
    this.#known.clear();
    this.#loaded = false;
    this.#failure = null;
    this.#heardUntil = null;
    this.set(NOTHING);
  }

  #tell() {
    this.soon(() => ({
      alerts: this.#loaded
        ? [...this.#known.values()].sort(
            (a, b) => inOrder(sortKey(b.raisedAt), sortKey(a.raisedAt)) || inOrder(b.id, a.id),
          )
        : this.get().alerts,
      missing: false,
      failure: this.#failure,
    }));
  }
}
