import assert from 'node:assert/strict';
import { test, type TestContext } from 'node:test';

import { FakeHub, type Question } from '../../test/fake-hub.ts';
import '../hub/hub.tsx';
import { lastMinuteOf, VitalStore } from './vitals.ts';

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

test('until a rate is measured, the last minute that the hub counted whole stands for it', () => {
  const minutes = [
    { at: '2026-03-04T17:30:00Z', taken: 7, refused: 0 },
    { at: '2026-03-04T17:31:00Z', taken: 12, refused: 1 },
    { at: '2026-03-04T17:32:00Z', taken: 3, refused: 0 },
  ];
  const counted = (since: string, at: string) => lastMinuteOf({ minutes, minutesSince: since }, Date.parse(at));
  const [before, within] = ['2026-03-04T09:00:00Z', '2026-03-04T17:31:20Z'];
  const whole = { at: '2026-03-04T17:31:00.000Z', taken: 12, isOver: true };
  assert.deepEqual(counted(before, '2026-03-04T17:32:10Z'), whole);
  assert.deepEqual(counted(before, '2026-03-04T17:34:10Z'), { ...whole, at: '2026-03-04T17:33:00.000Z', taken: 0 });
  assert.deepEqual(counted(within, '2026-03-04T17:32:10Z'), {
    at: '2026-03-04T17:32:00.000Z',
    taken: 3,
    isOver: false,
  });
});
