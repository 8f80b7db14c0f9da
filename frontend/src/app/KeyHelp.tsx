import { Checkbox } from '@mantine/core';

import { useStore } from '../hub/store.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { useWords } from '../words/words.ts';
import { letterKeys, setLetterKeys } from './letterKeys.ts';
import { PAGES } from './pages.ts';

/** Every key that works on every page. */
export default function KeyHelp({ close }: { close: () => void }) {
  const say = useWords();
  const isOn = useStore(letterKeys);
  const keys: [string[], string][] = [
    [['Ctrl', 'K'], say('palette')],
    ...PAGES.map(({ name, key }): [string[], string] => [['g', key], say(name)]),
    [['/'], say('keySearch')],
    [['j'], say('keyNext')],
    [['k'], say('keyBefore')],
    [['Enter'], say('keyOpen')],
    [['Esc'], say('keyBack')],
    [['?'], say('shortcuts')],
  ];
  return (
    <Dialog title={say('shortcuts')} close={close}>
      <Checkbox
        label={say('letterKeys')}
        description={say('letterKeysHint')}
        checked={isOn}
        onChange={(event) => setLetterKeys(event.currentTarget.checked)}
      />
      <dl className="keys">
        {keys.map(([pressed, name]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              {pressed.map((key) => (
                <kbd key={key}>{key}</kbd>
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
