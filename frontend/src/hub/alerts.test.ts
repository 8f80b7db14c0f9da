import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';
import type { Alert } from 'umbler-hub-client';

import { FakeHub, NOW, settled } from '../../test/fake-hub.ts';
import { AlertStore } from './alerts.ts';

function alert(id: string, more: Partial<Alert> = {}): Alert {
  const at = new Date(NOW).toISOString();
  return { id, kind: 'waiting', chatId: 'a', contactName: null, sector: null, owner: null, since: at, dueAt: at, raisedAt: at, clearedAt: null, acknowledgedAt: null, acknowledgedBy: null, ...more };
}

const page = (...alerts: Alert[]) => ({ alerts, nextCursor: null, asOfSeq: 10 });

async function opened(t: TestContext) {
  const hub = new FakeHub(t);
  const store = new AlertStore(hub.client);
  await hub.open();
  await (await hub.asked()).answer(page());
  return { hub, store };
}

test('an alert that is raised while somebody opens the live page is heard', async (t) => {
  const { hub, store } = await opened(t);
  const raised: string[] = [];
  store.onRaised(({ id }) => raised.push(id));
  hub.followMore();
  hub.update(11, { type: 'alert_raised', alert: alert('one') });
  await settled();
  assert.deepEqual([raised, hub.questions.length], [['one'], 0]);
});
