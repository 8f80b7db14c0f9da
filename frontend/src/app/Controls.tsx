import { ActionIcon } from '@mantine/core';

import { useHub } from '../hub/hub.tsx';
import { Icon } from '../parts/icons.tsx';
import { otherLanguage, useWords } from '../words/words.ts';
import type { Act } from './useActs.ts';

interface ControlsProps {
  acts: Act[];
  /** Null where nobody has to sign in. */
  signOut: Act | null;
  openPalette: () => void;
}

/** The buttons of the head: the palette, the past, the wall, the theme and the language. */
export function Controls({ acts, signOut, openPalette }: ControlsProps) {
  const say = useWords();
  const language = say('language');
  return (
    <div className="controls">
      {signOut !== null && <Who signOut={signOut} />}
      <Do act={{ name: `${say('palette')} (Ctrl K)`, icon: 'search', run: openPalette }} />
      {acts.map((act, index) => (
        // By place: the theme's has another icon after each click, and the focus stays on it.
        <Do key={index} act={act} />
      ))}
      <ActionIcon variant="subtle" color="gray" onClick={otherLanguage} aria-label={language} title={language}>
        <span className="language" aria-hidden="true">
          {language.slice(0, 2)}
        </span>
      </ActionIcon>
    </div>
  );
}

function Do({ act: { name, icon, run } }: { act: Act }) {
  return (
    <ActionIcon variant="subtle" color="gray" data-act={icon} onClick={run} aria-label={name} title={name}>
      <Icon name={icon} />
    </ActionIcon>
  );
}

/** Who is signed in, where the hub asks for that. */
function Who({ signOut }: { signOut: Act }) {
  const say = useWords();
  const { user } = useHub().client;
  if (user === null) return null;
  return (
    <>
      <span className="who">
        {user.name ?? user.id} <small>{say(`role_${user.role}`)}</small>
      </span>
      <Do act={signOut} />
    </>
  );
}
