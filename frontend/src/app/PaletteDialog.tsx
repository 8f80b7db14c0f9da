import { lazy, Suspense, useState } from 'react';

import { Dialog } from '../parts/Dialog.tsx';
import { useWords } from '../words/words.ts';
import type { Act } from './useActs.ts';

const Palette = lazy(() => import('./Palette.tsx'));

/** The palette, which is sent when it is opened. Until it is here its field is, and keeps what somebody types at once. */
export function PaletteDialog({ acts, close }: { acts: Act[]; close: () => void }) {
  const say = useWords();
  const [typed, setTyped] = useState('');
  return (
    <Dialog title={say('palette')} close={close}>
      <Suspense
        fallback={
          <div className="palette" aria-busy="true">
            <input
              cmdk-input=""
              data-autofocus=""
              value={typed}
              onChange={(event) => setTyped(event.currentTarget.value)}
              aria-label={say('palette')}
              placeholder={say('paletteHint')}
              autoComplete="off"
            />
            <div cmdk-list="" />
          </div>
        }
      >
        <Palette acts={acts} typed={typed} type={setTyped} close={close} />
      </Suspense>
    </Dialog>
  );
}
