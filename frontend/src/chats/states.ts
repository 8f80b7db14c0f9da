/** States of messages, which are the provider's words. */

/** Failures are known by a part of their name, as the hub knows them: the names changed between channels. */
const FAILURES = ['fail', 'error', 'reject', 'undeliver', 'expired'];

export function isFailure(state: string | null): boolean {
  return state !== null && FAILURES.some((word) => state.toLowerCase().includes(word));
}
