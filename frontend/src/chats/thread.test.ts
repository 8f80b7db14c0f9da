import assert from 'node:assert/strict';
import { test } from 'node:test';

import { message } from '../../test/fake-hub.ts';
import { threadOf, type ThreadDay } from './thread.ts';
import type { Step } from './useTimeline.ts';

const ZONE = 'America/Sao_Paulo';
const said = (id: string, at: string, change = {}) => message(id, { chatId: 'a', at, ...change });
const step = (type: string, at: string): Step => ({ eventId: type, type, at, from: null, to: null, tags: [] });

/** As it is read: a message by its id, one that goes on with a `+`, an event by its type. */
function read(days: ThreadDay[]) {
  return days.map(({ day, items }) => [
    day,
    ...items.map((item) =>
      item.kind === 'event' ? item.step.type : `${item.isContinued ? '+' : ''}${item.message.id}`,
    ),
  ]);
}

test('messages of one author stand together for five minutes, and days are those of the team', () => {
  const days = threadOf(
    [
      said('a', '2026-03-02T02:58:00Z'),
      said('b', '2026-03-02T02:59:00Z'),
      said('c', '2026-03-02T03:01:00Z'),
      said('d', '2026-03-02T03:02:00Z', { direction: 'out', source: 'Member' }),
      said('e', '2026-03-02T03:08:00Z', { direction: 'out', source: 'Member' }),
      said('f', '2026-03-02T03:09:00Z', { direction: 'out', source: 'Member' }),
    ],
    [],
    true,
    ZONE,
  );
  assert.deepEqual(read(days), [
    ['2026-03-01', 'a', '+b'],
    ['2026-03-02', 'c', 'd', 'e', '+f'],
  ]);
});

test('what happened stands where it happened, and parts what stood together', () => {
  const messages = [said('a', '2026-03-02T15:00:00Z'), said('b', '2026-03-02T15:01:00Z')];
  const steps = [step('closed', '2026-03-02T15:02:00Z'), step('transferred', '2026-03-02T15:00:30Z')];
  assert.deepEqual(read(threadOf(messages, [...steps, step('opened', '2026-03-02T15:00:00Z')], true, ZONE)), [
    ['2026-03-02', 'opened', 'a', 'transferred', 'b', 'closed'],
  ]);
});

test('while older messages are not read, what happened among them is left out', () => {
  const messages = [said('a', '2026-03-02T15:00:00Z')];
  const steps = [step('opened', '2026-03-01T15:00:00Z'), step('closed', '2026-03-02T15:02:00Z')];
  assert.deepEqual(read(threadOf(messages, steps, false, ZONE)), [['2026-03-02', 'a', 'closed']]);
});

test('a close, a reply and a question of one second stand in the order in which they happened', () => {
  const second = '2026-03-02T15:00:40Z';
  const messages = [
    said('reply', '2026-03-02T15:00:40.2Z', { direction: 'out', source: 'Member' }),
    // Stamped in whole seconds, as WhatsApp does it.
    said('question', second, { createdAt: '2026-03-02T15:00:40.9Z' }),
  ];
  const steps = [step('reopened', '2026-03-02T15:00:40.900000001Z'), step('closed', '2026-03-02T15:00:40.5Z')];
  assert.deepEqual(read(threadOf(messages, steps, true, ZONE)), [
    ['2026-03-02', 'reply', 'closed', 'question', 'reopened'],
  ]);
});
