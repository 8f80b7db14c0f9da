import assert from 'node:assert/strict';
import { mock, test } from 'node:test';
import hub from 'umbler-hub-client';

import { FakeHub, settled } from '../../test/fake-hub.ts';
import { ask } from './ask.ts';
import { heldAtFirst, knownOf, takeAtFirst } from './asking.ts';
import { askFirst, openingTime } from './opening.ts';
import { HERE, spanOf } from './period.ts';
import { choiceIn, earlierQuery, queryOf, worstHourQuery } from './question.ts';

const ADDRESS = new URLSearchParams('period=week&agent=bia');

test('the page that is drawn asks nothing again that was asked while its file came', async (t) => {
  const hubOfTest = new FakeHub(t);
  mock.getter(hub, 'isConnected', () => true);
  t.after(() => mock.restoreAll());
  void askFirst(ADDRESS);
  await settled();
  const asked = hubOfTest.questions.map(({ path, query }) => [path.split('/').at(-1), query.agent, query.metric]);
  assert.deepEqual(asked, [
    ['summary', 'bia', undefined],
    ['summary', 'bia', undefined],
    ['heatmap', 'bia', 'firstResponse'],
  ]);

  mock.timers.tick(700);
  const choice = choiceIn(ADDRESS);
  const query = queryOf(choice, spanOf(choice.period, choice.since, choice.till, HERE, openingTime()));
  const earlier = earlierQuery(query, choice.compare, HERE);
  assert.ok(query !== null && earlier !== null);
  const answers = [ask('/summary', query), ask('/summary', earlier), ask('/heatmap', worstHourQuery(query))];
  await settled();
  assert.equal(hubOfTest.questions.length, 3);
  for (const [index, question] of hubOfTest.questions.entries()) await question.answer({ index });
  assert.deepEqual(await Promise.all(answers), [{ index: 0 }, { index: 1 }, { index: 2 }]);

  const again = ask('/summary', query);
  await settled();
  assert.equal(hubOfTest.questions.length, 4, 'what is asked once more is news');
  await hubOfTest.questions[3]?.answer({});
  await again;
  mock.timers.tick(60_000);
  assert.equal(openingTime(), hub.hubTime(), 'a page that is opened later has a moment of its own');
});

test('what was answered before the page is drawn is on it at once, and is asked for again only as news', async (t) => {
  const hubOfTest = new FakeHub(t);
  mock.getter(hub, 'isConnected', () => true);
  t.after(() => mock.restoreAll());
  let isHere = false;
  void askFirst(ADDRESS).then(() => {
    isHere = true;
  });
  await settled();
  const choice = choiceIn(ADDRESS);
  const query = queryOf(choice, spanOf(choice.period, choice.since, choice.till, HERE, openingTime()));
  const question = { path: '/summary', query, earlier: earlierQuery(query, choice.compare, HERE), choice: 'week' };
  const [now, earlier, hours] = hubOfTest.questions;
  await now?.answer('now');
  await hours?.answer('hours');
  assert.deepEqual([heldAtFirst(question, 5).answer, isHere], [null, false], 'both stretches are told at once');
  await earlier?.answer('before');
  assert.ok(isHere);
  const held = heldAtFirst<string>(question, 5);
  assert.deepEqual(knownOf(held, question), {
    answer: 'now',
    previous: 'before',
    busy: false,
    failure: null,
    missing: false,
    askedAt: 5,
    isCurrent: true,
  });
  takeAtFirst(question);
  assert.equal(heldAtFirst(question, 6).answer, null);
});

test('a page that is drawn before there is a connection asks for the same moment as what is asked ahead', async (t) => {
  const hubOfTest = new FakeHub(t);
  let isConnected = false;
  mock.getter(hub, 'isConnected', () => isConnected);
  let connect = () => {};
  mock.method(hub, 'on', (_: string, listener: (status: string) => void) => {
    connect = () => listener('connected');
    return () => {};
  });
  t.after(() => mock.restoreAll());
  mock.timers.tick(120_000);
  void askFirst(ADDRESS);
  const drawnAt = openingTime();
  mock.timers.tick(80);
  isConnected = true;
  connect();
  await settled();
  assert.equal(Date.parse(hubOfTest.questions[0]?.query.until ?? ''), Math.floor(drawnAt));
});
