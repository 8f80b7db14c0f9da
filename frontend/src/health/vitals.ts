/** What the hub says of itself and of its deliveries, read every few seconds while the page is looked at. */

import { useCallback, useEffect, useState } from 'react';

import { reasonOf } from '../hub/errors.ts';
import { hub, useHub } from '../hub/hub.tsx';
import { Store } from '../hub/store.ts';

export interface Health {
  status: 'ok' | 'unwritable' | 'draining';
  version: string;
  uptimeSeconds: number;
  sessions: number;
  seq: number;
  queued: number;
  integrity: string;
  reason?: string | null;
  fault?: string | null;
  signInKeys?: string | null;
}

export interface WebhookStatus {
  lastDeliveryAt: string | null;
  accepted: number;
  duplicates: number;
  ignored: number;
  undecodable: number;
  counts: { type: string; outcome: 'accepted' | 'duplicate' | 'unrecognized' | 'ignored'; count: number; lastAt: string }[];
  recentUndecodable: { seq: number; type: string; reason: string; receivedAt: string }[];
  recentIgnored: { reason: string; receivedAt: string }[];
}

export interface Vitals {
  health: Health;
  webhook: WebhookStatus;
  readAt: number;
  /** Null until two readings are apart enough. */
  rate: { perMinute: number; overMs: number } | null;
}

const READ_MS = 5000;
const RATE_MS = 60_000;

const store = new Store<Vitals | null>(null);
let samples: { at: number; count: number }[] = [];

/** The rate over the last minute at most, from what was counted then and now. */
function rateOf(at: number, count: number): Vitals['rate'] {
  if ((samples.at(-1)?.count ?? 0) > count) samples = [];
  samples = [...samples.filter((sample) => at - sample.at <= RATE_MS), { at, count }];
  const first = samples[0];
  if (!first || at - first.at < READ_MS / 2) return null;
  const overMs = at - first.at;
  return { perMinute: ((count - first.count) * 60_000) / overMs, overMs };
}

export function useVitals() {
  const { isConnected } = useHub();
  const [failure, setFailure] = useState<string | null>(null);
  const read = useCallback(async () => {
    try {
      const [health, webhook] = (await Promise.all([hub.get('/health'), hub.get('/api/umbler/webhook/status')])) as [Health, WebhookStatus];
      const readAt = Date.now();
      store.set({ health, webhook, readAt, rate: rateOf(readAt, webhook.accepted + webhook.duplicates + webhook.ignored) });
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
