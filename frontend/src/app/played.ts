/** What is played, as long as the address names the moment that it was begun at. */

import { replays } from '../hub/hub.tsx';
import type { Playing } from '../hub/replays.ts';
import { useStore } from '../hub/store.ts';
import { useMoment } from './moment.ts';

export function usePlayed(): Playing | null {
  const { iso } = useMoment();
  const played = useStore(replays);
  return played !== null && played.begun === iso ? played : null;
}
