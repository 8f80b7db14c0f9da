/** From when a wait is late, as an admin set it. */

import { useMemo } from 'react';

import { settings } from '../hub/hub.tsx';
import { type KnownSettings, thresholdsOf } from '../hub/settings.ts';
import { useStore } from '../hub/store.ts';
import type { Limits, LimitsOf, Urgency } from '../hub/waits.ts';
import type { Word } from '../words/en.ts';

export const WORD_OF: Record<Urgency, Word> = { soon: 'soon', attention: 'attention', late: 'lateWord' };

/** The limits as an admin set them; `isDefault` while nobody has, so that no alert comes of them. */
export function useLimits(): { of: LimitsOf; differ: boolean; isDefault: boolean } {
  const known = useStore(settings);
  return useMemo(
    () => ({
      of: limitsOf(known),
      differ: Object.keys(known.settings?.thresholds.sectors ?? {}).length > 0,
      isDefault: known.settings !== null && known.updatedAt === null,
    }),
    [known],
  );
}

function limitsOf(known: KnownSettings): LimitsOf {
  const found = new Map<string, Limits>();
  return (sector) => {
    const key = sector ?? '';
    const limits = found.get(key) ?? inMs(thresholdsOf(known, sector));
    found.set(key, limits);
    return limits;
  };
}

function inMs({ waitingWarnSeconds, waitingSeconds }: ReturnType<typeof thresholdsOf>): Limits {
  const ms = (seconds: number | null) => (seconds === null ? null : seconds * 1000);
  return { attentionMs: ms(waitingWarnSeconds), lateMs: ms(waitingSeconds) };
}
