/**
 * One question of the page and what is known of its answer, apart from what draws it. An answer stays until the next one is
 * here, dimmed; it never stands under a choice that it is not of.
 */

import { isMissing, reasonOf } from '../hub/errors.ts';
import { answeredAhead, ask, dropAhead } from './ask.ts';
import type { Query } from './metrics.ts';

export interface Question {
  path: string;
  /** Null: nothing is asked. */
  query: Query | null;
  /** The same question of the stretch before. Both answers are told at once, or neither. */
  earlier?: Query | null;
  /** What it is about: an answer about something else is not shown at all, not even dimmed. */
  about?: string;
  /** What is chosen on the page. It stays the same where the same choice is only asked for anew. */
  choice: string;
}

/** What is known of the answer to one question. */
export interface Known<T> {
  answer: T | null;
  /** The answer to the same question of the stretch before; null where that was not asked, or is not to be had. */
  previous: T | null;
  busy: boolean;
  failure: string | null;
  missing: boolean;
  /** When it was asked, by the hub's clock; null while there is no answer. */
  askedAt: number | null;
  /** The answer is to this very question, and not to one before it. */
  isCurrent: boolean;
}

/** What the last answer was, and to which question. */
export interface Held<T> extends Omit<Known<T>, 'isCurrent'> {
  key: string | null;
  /** The last question that was answered or refused. */
  settled: string | null;
  about: string;
  choice: string;
}

export function nothingYet<T>(): Held<T> {
  return {
    answer: null,
    previous: null,
    busy: true,
    failure: null,
    missing: false,
    askedAt: null,
    key: null,
    settled: null,
    about: '',
    choice: '',
  };
}

/** What is held before anything is drawn: the answer, where it was asked ahead and is here. */
export function heldAtFirst<T>(question: Question, askedAt: number): Held<T> {
  const { path, query, earlier = null, about = '', choice } = question;
  const answer = query && answeredAhead<T>(path, query);
  const previous = earlier && answeredAhead<T>(path, earlier);
  if (answer === null || (earlier !== null && previous === null)) return nothingYet();
  const key = keyOf(question);
  return {
    ...nothingYet(),
    answer: answer.value,
    previous: previous?.value ?? null,
    busy: false,
    askedAt,
    key,
    settled: key,
    about,
    choice,
  };
}

/** The answer that was here at first is drawn. */
export function takeAtFirst({ path, query, earlier = null }: Question) {
  for (const asked of [query, earlier]) if (asked !== null) dropAhead(path, asked);
}

/** Which question it is; null: none. */
export function keyOf({ path, query, earlier = null }: Question): string | null {
  return query === null ? null : JSON.stringify([path, query, earlier]);
}

/** Asks; `settle` is told what becomes of what is held then. The answer calls it off. */
export function pose<T>(
  question: Question,
  askedAt: number,
  settle: (next: (before: Held<T>) => Held<T>) => void,
): () => void {
  const { path, query, earlier = null, about = '', choice } = question;
  if (query === null) return () => {};
  const key = keyOf(question);
  const settled = { busy: false, settled: key, about, choice };
  let over = false;
  Promise.all([
    ask<T>(path, query),
    // Without it there is no comparison, and everything else is as it is.
    earlier === null ? null : ask<T>(path, earlier).catch(() => null),
  ]).then(
    ([answer, previous]) =>
      over || settle(() => ({ ...settled, answer, previous, failure: null, missing: false, askedAt, key })),
    (error) =>
      over ||
      settle((before) => ({
        ...(before.choice === choice && before.about === about ? before : nothingYet<T>()),
        ...settled,
        missing: isMissing(error),
        failure: isMissing(error) ? null : reasonOf(error),
      })),
  );
  return () => {
    over = true;
  };
}

/** What is known of the answer to this question, while something is held that may be of another. */
export function knownOf<T>(held: Held<T>, question: Question): Known<T> {
  const key = keyOf(question);
  const about = held.about === (question.about ?? '') ? held : nothingYet<T>();
  const { answer, previous, failure, missing, askedAt } = about;
  const busy = about.busy || (key !== null && about.settled !== key);
  return { answer, previous, failure, missing, askedAt, busy, isCurrent: key !== null && about.key === key };
}
