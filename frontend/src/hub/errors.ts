import { HubError } from 'umbler-hub-client';

/** What went wrong, in the words of whoever refused. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

export function codeOf(error: unknown): string | null {
  return error instanceof HubError ? error.code : null;
}

/** The hub is of a version that does not have this. */
export function isMissing(error: unknown): boolean {
  return ['not_found', 'method_not_allowed', 'http_404'].includes(codeOf(error) ?? '');
}
