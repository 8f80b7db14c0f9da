/** Thresholds, business hours and holidays, as the hub has them, and told anew when an admin saves. */

import type { HubSettings, Named, Thresholds, UmblerHubClient } from 'umbler-hub-client';

import { isMissing, reasonOf } from './errors.ts';
import { Store } from './store.ts';
import { onStream } from './stream.ts';
import { forTeam } from './team-view.ts';

export interface KnownSettings {
  settings: HubSettings | null;
  updatedAt: string | null;
  updatedBy: Named | null;
  seq: number | null;
  /** The hub is of a version that has none. */
  missing: boolean;
  failure: string | null;
}

export const PATH = '/api/umbler/settings';
const RETRY_MS = 10_000;
const NOTHING: KnownSettings = {
  settings: null,
  updatedAt: null,
  updatedBy: null,
  seq: null,
  missing: false,
  failure: null,
};
/** What the hub itself begins with; used while its settings are not known. */
const STANDARD = { waitingWarnSeconds: 300, waitingSeconds: 900 };

export class SettingsStore extends Store<KnownSettings> {
  #client: UmblerHubClient;
  #reading = 0;

  constructor(client: UmblerHubClient) {
    super(NOTHING);
    this.#client = client;
    onStream(client, ({ missed }) => {
      if (missed || this.get().settings === null) void this.read();
    });
    client.on('umbler_update', ({ type, settings, updatedBy }, { seq, timestamp }) => {
      if (type !== 'settings_updated' || settings === undefined || (seq ?? 0) < (this.get().seq ?? 0)) return;
      this.#reading += 1;
      this.take({ ...NOTHING, settings, updatedAt: timestamp ?? null, updatedBy: updatedBy ?? null, seq: seq ?? null });
    });
    client.on('status', (status) => {
      if (status === 'unauthorized') this.set(NOTHING);
    });
  }

  async read() {
    const reading = ++this.#reading;
    try {
      const answer = await this.#client.get(PATH);
      if (reading === this.#reading) this.take(answer);
    } catch (error) {
      if (reading !== this.#reading) return;
      if (isMissing(error)) return this.set({ ...NOTHING, missing: true });
      this.set({ ...this.get(), failure: reasonOf(error) });
      setTimeout(() => {
        if (reading === this.#reading) void this.read();
      }, RETRY_MS);
    }
  }

  /** An answer of GET or PUT. */
  take({ settings, updatedAt, updatedBy, seq }: KnownSettings) {
    if ((seq ?? 0) < (this.get().seq ?? 0)) return;
    this.set({ ...NOTHING, settings: settings && withoutSearches(settings), updatedAt, updatedBy, seq });
  }
}

/** An older hub let the team save views with what was searched for. This one takes them only without it, also beside other changes. */
function withoutSearches(settings: HubSettings): HubSettings {
  return settings.views === undefined ? settings : { ...settings, views: settings.views.map(forTeam) };
}

/** The thresholds of a sector: its own, else the ones for all. */
export function thresholdsOf(
  { settings }: KnownSettings,
  sector: string | null | undefined,
): Pick<Thresholds, 'waitingSeconds' | 'waitingWarnSeconds'> {
  if (settings === null) return STANDARD;
  const { default: all, sectors } = settings.thresholds;
  return { ...all, ...(sector ? sectors[sector] : undefined) };
}
