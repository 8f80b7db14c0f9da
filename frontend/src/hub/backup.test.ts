import assert from 'node:assert/strict';
import { test } from 'node:test';

import { FakeHub, settled } from '../../test/fake-hub.ts';
import { BackupStore } from './backup.ts';

test('the state of the backup is read at every connection, and stays while the hub does not answer', async (t) => {
  const hub = new FakeHub(t);
  const store = new BackupStore(hub.client);
  await hub.open();
  const question = await hub.asked();
  assert.equal(question.path, '/health');
  await question.answer({ status: 'ok', backup: 'old', backupTakenAt: '2026-03-01T15:00:00Z' });
  assert.deepEqual(store.get(), {
    backup: 'old',
    backupTakenAt: '2026-03-01T15:00:00Z',
    backupCoveredUntil: undefined,
  });
  void store.read();
  await (await hub.asked()).refuse(503, 'unavailable');
  await settled();
  assert.equal(store.get().backup, 'old');
  void store.read();
  await (await hub.asked()).answer({ status: 'ok' });
  assert.equal(store.get().backup, undefined);
});
