/** Questions through REST: what comes back, and how long anybody waits for it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { UmblerHubClient } from '../../../static/client/index.js';
import { ANSWER_MS, FILE_MS } from '../../../static/client/lib/rest.js';
import { Clock } from '../support/clock.js';

/** A client whose questions reach nobody until the test answers; each ends, as in a browser, when it is given up. */
function asking(answer) {
  const clock = new Clock();
  const asked = [];
  let heard;
  const called = new Promise((resolve) => (heard = resolve));
  const fetch = (url, options) => {
    asked.push({ url: String(url), ...options });
    heard();
    return (
      answer?.(options) ??
      new Promise((_, reject) => options.signal?.addEventListener('abort', () => reject(new Error('aborted'))))
    );
  };
  const client = new UmblerHubClient({ url: 'ws://hub.example/ws' }, clock.runtime({ fetch }));
  return { client, clock, asked, called };
}

/** An answer whose head has come, and whose body never ends. */
const headAlone = () =>
  Promise.resolve(new Response(new ReadableStream({}), { headers: { 'content-type': 'application/json' } }));

for (const [about, answer] of [
  ['is never answered', undefined],
  ['is answered by half', headAlone],
]) {
  test(`a question that ${about} is given up after half a minute, and may be asked again`, async () => {
    const { client, clock, asked, called } = asking(answer);
    const chats = client.get('/api/umbler/chats');
    await called;
    assert.deepEqual(clock.waiting, [ANSWER_MS]);
    clock.pass(ANSWER_MS);
    await assert.rejects(chats, {
      code: 'unreachable',
      temporary: true,
      message: 'the hub did not answer within 30 s',
    });
    assert.equal(asked[0].signal.aborted, true);
  });
}

test('a file may take longer', async () => {
  const { client, clock, called } = asking();
  const file = client.download('/api/umbler/reports/agents', {}, 'text/csv');
  await called;
  assert.deepEqual(clock.waiting, [FILE_MS]);
  clock.pass(FILE_MS);
  await assert.rejects(file, { code: 'unreachable' });
});

test('an answer leaves no timer behind, nor does a refusal', async () => {
  const { client, clock, asked } = asking(() => Promise.resolve(Response.json({ chats: [] })));
  assert.deepEqual(await client.get('/api/umbler/chats', { limit: 5 }), { chats: [] });
  assert.equal(asked[0].url, 'http://hub.example/api/umbler/chats?limit=5');
  assert.deepEqual(clock.waiting, []);

  const refusing = asking(() =>
    Promise.resolve(Response.json({ error: { code: 'bad_request', message: 'no' } }, { status: 400 })),
  );
  await assert.rejects(refusing.client.send('PUT', '/api/umbler/settings', {}), {
    code: 'bad_request',
    temporary: false,
  });
  assert.deepEqual(refusing.clock.waiting, []);
});
