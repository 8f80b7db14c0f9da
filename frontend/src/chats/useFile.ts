/** Where the file of a message is. The hub asks Umbler for it where its address is missing or was refused. */

import { useCallback, useEffect, useState } from 'react';
import type { Message } from 'umbler-hub-client';

import { codeOf } from '../hub/errors.ts';
import { read } from '../hub/reads.ts';

/** Addresses of other kinds are not opened: the page is served over https. */
const SECURE = /^https:\/\//i;
/** A file that has not come yet is asked for again. */
const AGAIN_MS = 30_000;

export type FileState = 'ready' | 'asking' | 'pending' | 'unavailable' | 'failed';

interface Told {
  state: FileState;
  url: string | null;
}

/** `fail` is called where the address that was given cannot be loaded: then, and only once, Umbler is asked for another one. */
export function useFile({ id, file }: Pick<Message, 'id' | 'file'>): Told & { fail: () => void } {
  const hasFile = file !== null;
  const known = file?.url != null && SECURE.test(file.url) ? file.url : null;
  const [refused, setRefused] = useState<string | null>(null);
  const [told, setTold] = useState<Told>({ state: 'asking', url: null });
  const usable = known !== null && known !== refused ? known : null;

  useEffect(() => {
    if (!hasFile || usable !== null) return;
    let isOver = false;
    let timer: ReturnType<typeof setTimeout> | undefined;
    const ask = async () => {
      const next = await where(id, refused !== null);
      if (isOver) return;
      setTold(next.url !== null && (next.url === refused || !SECURE.test(next.url)) ? GONE : next);
      if (next.state === 'pending') timer = setTimeout(() => void ask(), AGAIN_MS);
    };
    void ask();
    return () => {
      isOver = true;
      clearTimeout(timer);
    };
  }, [id, hasFile, usable, refused]);

  const fail = useCallback(() => {
    // The second address that fails is the last one.
    if (refused === null && known !== null) setRefused(known);
    else setTold(GONE);
  }, [known, refused]);

  return usable !== null ? { state: 'ready', url: usable, fail } : { ...told, fail };
}

const GONE: Told = { state: 'unavailable', url: null };

async function where(id: string, refused: boolean): Promise<Told> {
  try {
    return await read(`/api/umbler/messages/${encodeURIComponent(id)}/file`, {
      format: 'json',
      ...(refused ? { refused: 'true' } : {}),
    });
  } catch (error) {
    const code = codeOf(error);
    return { state: code === 'not_found' || code === 'forbidden' ? 'unavailable' : 'failed', url: null };
  }
}
