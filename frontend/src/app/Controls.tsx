import { ActionIcon } from '@mantine/core';

import { useHub } from '../hub/hub.tsx';
import { Icon } from '../parts/icons.tsx';
import { otherLanguage, useWords } from '../words/words.ts';
import type { Act } from './Palette.tsx';
import { useActs, useSignOut } from './useActs.ts';

/** The buttons of the head: the palette, the past, the wall, the theme and the language. */
export function Controls({ openPalette }: { openPalette: () => void }) {
  const say = useWords();
  const acts = useActs();
  const language = say('language');
  return (
    <div className="controls">
      <Who />
      <Do act={{ name: `${say('palette')} (Ctrl K)`, icon: 'search', run: openPalette }} />
      {acts.map((act) => (
        <Do key={act.icon} act={act} />
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
    <ActionIcon variant="subtle" color="gray" onClick={run} aria-label={name} title={name}>
      <Icon name={icon} />
    </ActionIcon>
  );
}

/** Who is signed in, where the hub asks for that. */
function Who() {
  const say = useWords();
  const { client } = useHub();
  const signOut = useSignOut();
  const { user } = client;
  if (signOut === null || user === null) return null;
  return (
    <>
      <span className="who">
        {user.name ?? user.id} <small>{say(`role_${user.role}`)}</small>
      </span>
      <Do act={signOut} />
    </>
  );
}
