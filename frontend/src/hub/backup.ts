/** How the hub's backups on another machine fare: read at the beginning and now and then, while the page is looked at. */

import type { UmblerHubClient } from 'umbler-hub-client';

import { Store } from './store.ts';

export interface Backup {
  /** Missing where none are made. */
  backup?: 'starting' | 'ok' | 'old' | 'behind';
  /** When the newest full copy was taken; missing before the first. */
  backupTakenAt?: string;
  /** Everything that was stored until then is on the other machine; missing before that is known. */
  backupCoveredUntil?: string;
}

/** The hub calls a backup old after hours, and behind after two minutes. */
const READ_MS = 60_000;

export class BackupStore extends Store<Backup> {
  #client: UmblerHubClient;

  constructor(client: UmblerHubClient) {
    super({});
    this.#client = client;
    client.on('connection_established', () => void this.read());
    // Without a page nobody looks.
    if (typeof document === 'undefined') return;
    const isLooked = () => document.visibilityState === 'visible' && client.status === 'connected';
    setInterval(() => isLooked() && void this.read(), READ_MS);
    document.addEventListener('visibilitychange', () => isLooked() && void this.read());
  }

  async read() {
    try {
      const { backup, backupTakenAt, backupCoveredUntil } = (await this.#client.get('/health')) as Backup;
      this.set({ backup, backupTakenAt, backupCoveredUntil });
    } catch {
      // What was read last stays; that the hub does not answer is told elsewhere.
    }
  }
}
