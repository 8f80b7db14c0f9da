/** A conversation in the order that it is read: days, messages that belong together, and what happened in between. */

import { momentOf, sortKey, type Message } from 'umbler-hub-client';

import { dayOf } from '../hub/days.ts';
import { inOrder } from '../hub/in-order.ts';
import type { Step } from './useTimeline.ts';

/** Messages of one author within so long stand together. */
const TOGETHER_MS = 5 * 60_000;
/** After every moment. */
const LAST = '\uffff';

export type Item =
  | { kind: 'message'; key: string; message: Message; isContinued: boolean }
  | { kind: 'event'; key: string; step: Step };

export interface ThreadDay {
  day: string;
  items: Item[];
}

/**
 * `messages` oldest first, `steps` in any order. Steps before the first message are left out unless it is the first of
 * all, `isWhole`: what was written around them is not here.
 */
export function threadOf(messages: Message[], steps: Step[], isWhole: boolean, zone?: string): ThreadDay[] {
  const first = messages[0] === undefined ? LAST : sortKey(momentOf(messages[0]));
  const shown = steps
    .map((step) => ({ step, key: sortKey(step.at) }))
    .filter(({ key }) => isWhole || key >= first)
    .sort((a, b) => inOrder(a.key, b.key));
  const days: ThreadDay[] = [];
  const put = (at: number, item: Item) => {
    const day = dayOf(at, zone);
    if (days.at(-1)?.day !== day) days.push({ day, items: [] });
    const items = days.at(-1)?.items ?? [];
    const last = items.at(-1);
    if (item.kind === 'message') item.isContinued = last?.kind === 'message' && belongs(last.message, item.message);
    items.push(item);
  };
  let next = 0;
  const putSteps = (until: string) => {
    for (let one = shown[next]; one !== undefined && one.key <= until; one = shown[next]) {
      const { step } = one;
      put(Date.parse(step.at), { kind: 'event', key: `${step.eventId} ${step.type} ${next}`, step });
      next += 1;
    }
  };
  for (const message of messages) {
    putSteps(sortKey(momentOf(message)));
    put(Date.parse(message.at), { kind: 'message', key: message.id, message, isContinued: false });
  }
  putSteps(LAST);
  return days;
}

function belongs(before: Message, message: Message): boolean {
  const author = ({ direction, source, author, bot, private: isPrivate }: Message) =>
    [direction, source, author?.id, bot?.id, isPrivate].join();
  return author(before) === author(message) && Date.parse(message.at) - Date.parse(before.at) < TOGETHER_MS;
}
