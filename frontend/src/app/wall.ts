/** Wall mode: the live page alone, large, for a screen that nobody touches. It stands in the address: `/live?wall`. */

import { useCallback, useEffect } from 'react';
import { useSearchParams } from 'react-router';

export function useWall() {
  const [params, setParams] = useSearchParams();
  const isWall = params.has('wall');

  const enter = useCallback(() => {
    setParams({ wall: '' });
    // A browser may refuse either; the page is a wall all the same.
    document.documentElement.requestFullscreen?.().catch(() => {});
  }, [setParams]);

  const leave = useCallback(() => {
    setParams({});
    if (document.fullscreenElement) document.exitFullscreen().catch(() => {});
  }, [setParams]);

  return { isWall, enter, leave };
}

/** The display stays on, and Escape leads out. */
export function useWallKeeping(isWall: boolean, leave: () => void) {
  useEffect(() => {
    if (!isWall) return;
    let lock: WakeLockSentinel | null = null;
    let over = false;
    const hold = () => {
      if (document.visibilityState !== 'visible') return;
      navigator.wakeLock?.request('screen').then(
        (held) => {
          if (over) void held.release();
          else lock = held;
        },
        () => {},
      );
    };
    const keys = (event: KeyboardEvent) => {
      if (event.key === 'Escape') leave();
    };
    hold();
    document.addEventListener('visibilitychange', hold);
    document.addEventListener('keydown', keys);
    return () => {
      over = true;
      void lock?.release();
      document.removeEventListener('visibilitychange', hold);
      document.removeEventListener('keydown', keys);
    };
  }, [isWall, leave]);
}
