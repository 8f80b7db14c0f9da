/** The machine's clock may be wrong, be set, and the machine may sleep: waits, ages and tokens come out right all the same. */

import assert from 'node:assert/strict';
import { test } from 'node:test';

import { forBrowser, forTab } from '../../../static/client/storage.js';
import { next, pair, status } from '../support/client.js';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;

async function live(t, more) {
  const all = await pair(t, more);
  all.client.subscribeToUpdates();
  await all.client.connect();
  await all.client.requestUmblerData();
  return { ...all, peer: all.hub.connections[0] };
}

async function beat({ client, peer }) {
  const heard = next(client, 'heartbeat');
  peer.heartbeat();
  await heard;
}

for (const [what, set] of [
  ['is right', 0],
  ['is put back by an hour', -HOUR_MS],
]) {
  test(`a dead line is noticed after 34 seconds where the machine's clock ${what}`, async (t) => {
    const all = await live(t);
    const { clock, client, peer } = all;
    for (let beats = 0; beats < 4; beats += 1) {
      clock.pass(25_000);
      await beat(all);
    }
    peer.deaf.add('ping');
    clock.set(set);
    clock.pass(33_900);
    assert.equal(client.status, 'connected');
    clock.pass(200);
    assert.equal(client.status, 'recovering');
  });
}

test('a clock that is put forward looks like a sleep: the hub is asked, answers, and nothing is lost', async (t) => {
  const { hub, clock, client, peer } = await live(t);
  const pong = next(client, 'pong');
  clock.set(HOUR_MS);
  clock.pass(5_000);
  await peer.hears('ping');
  await pong;
  clock.pass(20_000);
  assert.equal(client.status, 'connected');
  assert.equal(hub.connections.length, 1);
});

test('the age of the data grows by the second when the clock is put back, and counts the time of a sleep', async (t) => {
  const all = await live(t);
  const { clock, client } = all;
  await beat(all);
  clock.set(-HOUR_MS);
  clock.pass(3_000);
  assert.equal(client.dataAge(), 3_000);
  await beat(all);
  assert.equal(client.dataAge(), 0);
  clock.sleep(3 * HOUR_MS);
  assert.equal(client.dataAge(), 3 * HOUR_MS);
});

test('the hub tells what time it is, whatever the clock of the machine shows', async (t) => {
  const { hub, clock, client } = await pair(t);
  clock.set(20 * MINUTE_MS);
  assert.equal(client.hubTime(), clock.time + 20 * MINUTE_MS, 'nothing better is known yet');
  await client.connect();
  assert.equal(client.hubTime(), clock.time);
  clock.pass(10_000);
  clock.set(-3 * HOUR_MS);
  assert.equal(client.hubTime(), clock.time);
  const back = hub.connection();
  hub.connections[0].drop();
  await status(client, 'recovering');
  hub.now = () => clock.time - HOUR_MS;
  clock.pass(1_000);
  await back;
  await status(client, 'connected');
  assert.equal(client.hubTime(), clock.time - HOUR_MS, 'a hub that was started again may have had its clock put right');
});

test('a frame that was held up on the way does not put the time back, nor does an update of long ago', async (t) => {
  const all = await live(t);
  const { hub, clock, client } = all;
  hub.now = () => clock.time - 8_000;
  await beat(all);
  const told = next(client, 'umbler_update');
  hub.now = () => clock.time - HOUR_MS;
  hub.publish();
  await told;
  assert.equal(client.hubTime(), clock.time);
});

test('the hub is never behind an update that came, although its heartbeats were held up on the way', async (t) => {
  const all = await live(t);
  const { hub, clock, client } = all;
  hub.now = () => clock.time - 8_000;
  for (let beats = 0; beats < 4; beats += 1) await beat(all);
  assert.equal(client.hubTime(), clock.time - 8_000);
  const told = next(client, 'umbler_update');
  hub.now = () => clock.time - 1_000;
  hub.publish();
  await told;
  assert.equal(client.hubTime(), clock.time - 1_000);
});

test('a hub whose clock is put back while it runs is followed within a few heartbeats', async (t) => {
  const all = await live(t);
  const { hub, clock, client } = all;
  hub.now = () => clock.time - HOUR_MS;
  for (let beats = 0; beats < 4; beats += 1) await beat(all);
  assert.equal(client.hubTime(), clock.time - HOUR_MS);
});

test('after a sleep the time is right again with the first answer', async (t) => {
  const { clock, client, peer } = await live(t);
  clock.sleep(3 * HOUR_MS);
  const pong = next(client, 'pong');
  clock.pass(5_000);
  await peer.hears('ping');
  await pong;
  assert.equal(client.hubTime(), clock.time);
});

for (const minutes of [20, -20]) {
  test(`a token is exchanged a minute before the hub ends it, on a machine whose clock is ${minutes} minutes off`, async (t) => {
    let calls = 0;
    const tokenProvider = () => `token-${++calls}`;
    const { hub, clock, client } = await pair(t, { options: { tokenProvider }, script: { authRequired: true } });
    clock.set(minutes * MINUTE_MS);
    hub.script.admits = () => new Date(clock.time + 80_000).toISOString();
    await client.connect();
    const [peer] = hub.connections;
    await peer.hears('authenticate');
    clock.pass(19_000);
    assert.equal(calls, 1);
    clock.pass(1_500);
    assert.equal((await peer.hears('authenticate')).data.token, 'token-2');
  });
}

test('where the browser denies storage nothing is kept, and nothing breaks', (t) => {
  const denied = {
    configurable: true,
    get() {
      throw new DOMException('denied', 'SecurityError');
    },
  };
  for (const [name, kept] of [
    ['localStorage', forBrowser],
    ['sessionStorage', forTab],
  ]) {
    const before = Object.getOwnPropertyDescriptor(globalThis, name);
    t.after(() => (before ? Object.defineProperty(globalThis, name, before) : delete globalThis[name]));
    for (const how of [denied, { configurable: true, value: null }, { configurable: true, value: undefined }]) {
      Object.defineProperty(globalThis, name, how);
      kept.setItem('key', 'value');
      assert.equal(kept.getItem('key'), null);
      kept.removeItem('key');
    }
  }
});
