/** What a page's address asks for, changed in its place. */

import { useCallback } from 'react';
import { useNavigate } from 'react-router';

/**
 * Changes the parameters of the address, of which the history keeps the changed one alone. They are the address's own, and so is its
 * page: what the router hands in is that of the last drawing, lacks what was chosen since, and may stand on the page that is left.
 */
export function useChangeParams(): (change: (params: URLSearchParams) => void) => void {
  const navigate = useNavigate();
  return useCallback(
    (change) => {
      const { pathname, search } = window.location;
      const params = new URLSearchParams(search);
      change(params);
      void navigate({ pathname, search: params.toString() }, { replace: true });
    },
    [navigate],
  );
}

/** Sets a parameter, or leaves it out where it has no value. */
export function setParam(params: URLSearchParams, name: string, value: string) {
  if (value) params.set(name, value);
  else params.delete(name);
}
