import { Dialog } from '../parts/Dialog.tsx';
import { useWords } from '../words/words.ts';
import { PAGES } from './pages.ts';

/** Every key that works on every page. */
export function KeyHelp({ close }: { close: () => void }) {
  const say = useWords();
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
