import { ActionIcon, Button, useMantineColorScheme } from '@mantine/core';
import { Suspense, useEffect, useState } from 'react';
import { NavLink, Outlet, useLocation } from 'react-router';

import { hubTime } from '../hub/clock.ts';
import { hub, useHub } from '../hub/hub.tsx';
import { storeToken } from '../hub/token.ts';
import { useAlertSound } from '../live/sound.ts';
import { ErrorBoundary } from '../parts/ErrorBoundary.tsx';
import { Icon } from '../parts/icons.tsx';
import { otherLanguage, useWords } from '../words/words.ts';
import { Banners } from './Banners.tsx';
import { Freshness } from './Freshness.tsx';
import { SignIn } from './SignIn.tsx';
import { canShowPast, useAddress, useMoment } from './moment.ts';
import { TimeBar } from './TimeBar.tsx';
import { useWall } from './wall.ts';

const PAGES = [
  ['live', '/live'],
  ['chats', '/chats'],
  ['reports', '/reports'],
  ['settings', '/settings'],
  ['health', '/hub'],
] as const;
const MINUTE_MS = 60_000;
/** Where a look back begins. */
const HOUR_MS = 60 * MINUTE_MS;
const NEXT = { auto: 'light', light: 'dark', dark: 'auto' } as const;

/** What stands around each page: the ways to the others, and how fresh the data is. */
export function Shell() {
  const say = useWords();
  const { connectionStatus } = useHub();
  const { isWall, leave } = useWall();
  const { pathname } = useLocation();
  useAlertSound();
  const page = PAGES.find(([, path]) => pathname.startsWith(path))?.[0];
  const { at } = useMoment();
  const address = useAddress();
  const isPast = at !== null;
  const title = isPast
    ? `${say('pastWord')} · ${say('product')}`
    : page
      ? `${say(page)} · ${say('product')}`
      : say('product');
  useEffect(() => {
    document.title = title;
  }, [title]);

  // While a token is being tried the form stays, with what it says.
  const [signedOut, setSignedOut] = useState(false);
  if (connectionStatus === 'unauthorized' && !signedOut) setSignedOut(true);
  if (connectionStatus === 'connected' && signedOut) setSignedOut(false);
  if (signedOut) return <SignIn />;
  return (
    <div className="shell" data-wall={isWall || undefined} data-past={isPast || undefined}>
      <a className="skip" href="#content">
        {say('skip')}
      </a>
      <header className="top">
        <strong className="product">{say('product')}</strong>
        {!isWall && (
          <nav aria-label={say('pages')}>
            {PAGES.map(([name, path]) => (
              <NavLink key={name} to={canShowPast(path) ? address(path) : path}>
                <Icon name={name} />
                {say(name)}
              </NavLink>
            ))}
          </nav>
        )}
        <Freshness />
        {isWall ? (
          <Button size="compact-sm" variant="default" onClick={leave}>
            {say('leaveWall')}
          </Button>
        ) : (
          <Controls />
        )}
      </header>
      <Banners />
      <TimeBar />
      <main id="content" tabIndex={-1}>
        <ErrorBoundary key={page}>
          <Suspense
            fallback={
              <p className="blank" role="status">
                {say('loading')}
              </p>
            }
          >
            <Outlet />
          </Suspense>
        </ErrorBoundary>
      </main>
    </div>
  );
}

function Controls() {
  const say = useWords();
  const { enter } = useWall();
  // Without that a style tag would be put in, which the content security policy refuses.
  const { colorScheme, setColorScheme } = useMantineColorScheme({ keepTransitions: true });
  const names = { auto: say('themeAuto'), light: say('themeLight'), dark: say('themeDark') };
  const theme = say('theme', { theme: names[colorScheme] });
  const { pathname } = useLocation();
  const { at, go } = useMoment();
  return (
    <div className="controls">
      <Who />
      {canShowPast(pathname) && at === null && (
        <ActionIcon
          variant="subtle"
          color="gray"
          onClick={() => go(Math.floor((hubTime() - HOUR_MS) / MINUTE_MS) * MINUTE_MS)}
          aria-label={say('toPast')}
          title={say('toPast')}
        >
          <Icon name="past" />
        </ActionIcon>
      )}
      {pathname.startsWith('/live') && at === null && (
        <ActionIcon variant="subtle" color="gray" onClick={enter} aria-label={say('wall')} title={say('wall')}>
          <Icon name="wall" />
        </ActionIcon>
      )}
      <ActionIcon
        variant="subtle"
        color="gray"
        onClick={() => setColorScheme(NEXT[colorScheme])}
        aria-label={theme}
        title={theme}
      >
        <Icon name={colorScheme} />
      </ActionIcon>
      <ActionIcon
        variant="subtle"
        color="gray"
        onClick={otherLanguage}
        aria-label={say('language')}
        title={say('language')}
      >
        <span className="language" aria-hidden="true">
          {say('language').slice(0, 2)}
        </span>
      </ActionIcon>
    </div>
  );
}

/** Who is signed in, where the hub asks for that. */
function Who() {
  const say = useWords();
  const { client } = useHub();
  const { user, hello } = client;
  if (!hello?.authRequired || user === null) return null;
  return (
    <>
      <span className="who">
        {user.name ?? user.id} <small>{say(`role_${user.role}`)}</small>
      </span>
      <ActionIcon variant="subtle" color="gray" onClick={signOut} aria-label={say('signOut')} title={say('signOut')}>
        <Icon name="leave" />
      </ActionIcon>
    </>
  );
}

/** Everything that was read goes with the page. */
function signOut() {
  storeToken(null);
  hub.disconnect();
  location.assign('/');
}
