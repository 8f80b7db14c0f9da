import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { FakeHub, type Question } from '../../test/fake-hub.ts';
import '../hub/hub.tsx';
import { VitalStore } from './vitals.ts';

async function opened(t: TestContext) {
  const hub = new FakeHub(t);
  hub.authRequired = true;
  await hub.open();
  return { hub, vitals: new VitalStore(hub.client) };
}

async function answer(questions: Question[], accepted: number) {
  for (const question of questions)
    await question.answer(
      question.path === '/health' ? { status: 'ok' } : { accepted, duplicates: 0, ignored: 0, recentUndecodable: [] },
    );
}

test('deliveries that one user was shown are not shown to the next one', async (t) => {
  const { hub, vitals } = await opened(t);
  const read = vitals.read();
  await answer([await hub.asked(), await hub.asked()], 100);
  await read;
  assert.equal(vitals.get()?.webhook.accepted, 100);
  hub.close(4003);
  assert.equal(vitals.get(), null);
});

test('an answer that comes after a token ended is not shown', async (t) => {
  const { hub, vitals } = await opened(t);
  const read = vitals.read();
  const questions = [await hub.asked(), await hub.asked()];
  hub.close(4003);
  await answer(questions, 100);
  await read;
  assert.equal(vitals.get(), null);
});
