/** What the head of the page can do, for its buttons and for the palette. */

import { useMantineColorScheme } from '@mantine/core';
import { useLocation } from 'react-router';

import { hubTime } from '../hub/clock.ts';
import { hub, useHub } from '../hub/hub.tsx';
import { storeToken } from '../hub/token.ts';
import type { IconName } from '../parts/icons.tsx';
import { useWords } from '../words/words.ts';
import { canShowPast, useMoment } from './moment.ts';
import { useWall } from './wall.ts';

const MINUTE_MS = 60_000;
/** Where a look back begins. */
const HOUR_MS = 60 * MINUTE_MS;
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' } as const;

export interface Act {
  name: string;
  icon: IconName;
  run: () => void;
}

export function useActs(openViews: () => void): Act[] {
  const say = useWords();
  const { enter } = useWall();
  // Without that a style tag would be put in, which the content security policy refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const names = { auto: say('themeAuto'), light: say('themeLight'), dark: say('themeDark') };
  const { pathname } = useLocation();
  const { at, go } = useMoment();
  const isNow = at === null;
  const past: Act = {
    name: say('toPast'),
    icon: 'past',
    run: () => go(Math.floor((hubTime() - HOUR_MS) / MINUTE_MS) * MINUTE_MS),
  };
  const theme = say('theme', { theme: names[colorScheme] });
  return [
    ...(canShowPast(pathname) && isNow ? [past] : []),
    ...(pathname.startsWith('/live') && isNow ? [{ name: say('wall'), icon: 'wall', run: enter } as const] : []),
    { name: say('views'), icon: 'views', run: openViews },
    { name: theme, icon: colorScheme, run: () => setColorScheme(NEXT[colorScheme]) },
  ];
}

export function useSignOut(): Act | null {
  const say = useWords();
  const { client } = useHub();
  return client.hello?.authRequired && client.user !== null
    ? { name: say('signOut'), icon: 'leave', run: signOut }
    : null;
}

/** Everything that was read goes with the page. */
function signOut() {
  storeToken(null);
  hub.disconnect();
  location.assign('/');
}
