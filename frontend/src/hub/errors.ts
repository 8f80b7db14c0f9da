import { HubError } from 'umbler-hub-client';

import { faultInWords } from '../words/faults.ts';
import { problemsIn } from '../words/problems.ts';
import { reasonInWords } from '../words/reasons.ts';

/** What went wrong, in the language of the page. */
export function reasonOf(error: unknown): string {
  return error instanceof HubError ? reasonInWords(error.code, error.message, error.parameter) : messageOf(error);
}

/** What is wrong with each field that the hub named, by the field's path, in the language of the page. */
export function problemsOf(error: unknown): Map<string, string> {
  if (!(error instanceof HubError) || error.code !== 'bad_parameter') return new Map();
  const problems = problemsIn(error.message, error.parameter);
  return new Map([...problems].map(([path, said]) => [path, faultInWords(said) ?? reasonOf(error)]));
}

/** The hub's own words, where a page reads what is wrong out of them. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function codeOf(error: unknown): string | null {
  return error instanceof HubError ? error.code : null;
}

/** The hub is of a version that does not have this. */
export function isMissing(error: unknown): boolean {
  return ['not_found', 'method_not_allowed', 'http_404'].includes(codeOf(error) ?? '');
}

/** How the hub closes sockets whose token is not good any more, in a word for the user. */
const ENDS: Record<number, 'tokenExpired' | 'tokenRevoked'> = { 4003: 'tokenExpired', 4500: 'tokenRevoked' };

/** Why somebody who was signed in is not any more; null where that is not what went wrong. */
export function endOf(error: HubError | null): 'tokenExpired' | 'tokenRevoked' | null {
  return error?.code === 'unauthorized' ? (ENDS[error.closeCode ?? 0] ?? null) : null;
}
