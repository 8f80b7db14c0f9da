/** What the hub says of itself and of its deliveries, read every few seconds while the page is looked at. */

import { useCallback, useEffect, useState } from 'react';
import type { UmblerHubClient } from 'umbler-hub-client';

import type { Backup } from '../hub/backup.ts';
import { reasonOf } from '../hub/errors.ts';
import { hub, useHub } from '../hub/hub.tsx';
import { Store } from '../hub/store.ts';

export interface Health extends Backup {
  status: 'ok' | 'unwritable' | 'behind' | 'draining';
  version: string;
  uptimeSeconds: number;
  sessions: number;
  seq: number;
  queued: number;
  integrity: string;
  reason?: string | null;
  fault?: string | null;
  signInKeys?: string | null;
  link: 'off' | 'starting' | 'ok' | 'not_allowed' | 'unreachable' | 'misled' | 'undecided';
  /** The link has compared every message up to this moment; null until its first complete comparison. */
  completeUntil: string | null;
  /** How the cluster is; missing where the hub is on its own. */
  cluster?: Cluster | null;
}

/** A hub of a cluster, as it told of itself last. */
export interface ClusterHub {
  node: string;
  applied: number;
  ready: boolean;
  lagSeconds: number;
  inbox: number;
  duties: boolean;
  sessions: number;
  version: string;
  heardSecondsAgo: number;
  halted?: string | null;
}

export interface Cluster extends Omit<ClusterHub, 'sessions' | 'version' | 'heardSecondsAgo'> {
  connected: boolean;
  newest: number;
  replicas: number;
  /** Servers that have all of the stream. */
  replicasCurrent: number;
  /** The other hubs. */
  peers: ClusterHub[];
}

export interface WebhookStatus {
  lastDeliveryAt: string | null;
  accepted: number;
  duplicates: number;
  ignored: number;
  undecodable: number;
  counts: {
    type: string;
    outcome: 'accepted' | 'duplicate' | 'unrecognized' | 'ignored';
    count: number;
    lastAt: string;
  }[];
  /** The last hour, the oldest first, without the minutes in which nothing came. */
  minutes: { at: string; taken: number; refused: number }[];
  /** From when on they are counted. */
  minutesSince: string;
  recentUndecodable: { seq: number; type: string; reason: string; receivedAt: string }[];
  recentIgnored: { reason: string; receivedAt: string }[];
}

export interface Vitals {
  health: Health;
  webhook: WebhookStatus;
  readAt: number;
  /** Null until two readings are apart enough. */
  rate: { perMinute: number; storedPerMinute: number; overMs: number } | null;
}

const MINUTE_MS = 60_000;

/** The newest minute that was counted from its beginning to its end; the running one where the hub has not run for that long. */
export function lastMinuteOf({ minutes, minutesSince }: Pick<WebhookStatus, 'minutes' | 'minutesSince'>, now: number) {
  const running = Math.floor(now / MINUTE_MS) * MINUTE_MS;
  const isOver = running - MINUTE_MS >= Date.parse(minutesSince);
  const begun = isOver ? running - MINUTE_MS : running;
  const taken = minutes.find(({ at }) => Date.parse(at) === begun)?.taken ?? 0;
  return { at: new Date(begun).toISOString(), taken, isOver };
}

const READ_MS = 5000;
const RATE_MS = MINUTE_MS;

export class VitalStore extends Store<Vitals | null> {
  #client: UmblerHubClient;
  #samples: { at: number; count: number; seq: number }[] = [];
  /** Whoever signed in, counted. */
  #user = 0;

  constructor(client: UmblerHubClient) {
    super(null);
    this.#client = client;
    client.on('status', (status) => {
      if (status !== 'unauthorized') return;
      // Another user may sign in next, and see less.
      this.#user += 1;
      this.#samples = [];
      this.set(null);
    });
  }

  async read() {
    const user = this.#user;
    const [health, webhook] = (await Promise.all([
      this.#client.get('/health'),
      this.#client.get('/api/umbler/webhook/status'),
    ])) as [Health, WebhookStatus];
    if (user !== this.#user) return;
    const readAt = this.#client.hubTime();
    this.set({
      health,
      webhook,
      readAt,
      rate: this.#rate(performance.now(), webhook.accepted + webhook.duplicates + webhook.ignored, health.seq),
    });
  }

  /** The rate over the last minute at most, from what was counted then and now. */
  #rate(at: number, count: number, seq: number): Vitals['rate'] {
    if ((this.#samples.at(-1)?.count ?? 0) > count) this.#samples = [];
    this.#samples = [...this.#samples.filter((sample) => at - sample.at <= RATE_MS), { at, count, seq }];
    const first = this.#samples[0];
    if (!first || at - first.at < READ_MS / 2) return null;
    const overMs = at - first.at;
    const perMinute = (grown: number) => (grown * MINUTE_MS) / overMs;
    return { perMinute: perMinute(count - first.count), storedPerMinute: perMinute(seq - first.seq), overMs };
  }
}

const store = new VitalStore(hub);

export function useVitals() {
  const { isConnected } = useHub();
  const [failure, setFailure] = useState<string | null>(null);
  const read = useCallback(async () => {
    try {
      await store.read();
      setFailure(null);
    } catch (error) {
      setFailure(reasonOf(error));
    }
  }, []);
  useEffect(() => {
    if (isConnected) void read();
    const timer = setInterval(() => {
      if (document.visibilityState === 'visible') void read();
    }, READ_MS);
    // A change of state is shown at once.
    const stop = hub.on('*', (_, { event }) => {
      if (event === 'hub_status') void read();
    });
    return () => {
      clearInterval(timer);
      stop();
    };
  }, [isConnected, read]);
  return { store, failure, again: () => void read() };
}
