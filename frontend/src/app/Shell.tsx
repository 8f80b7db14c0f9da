import { lazy, Suspense, useEffect, useRef, useState } from 'react';
import { NavLink, Outlet, useLocation } from 'react-router';

import { useHub } from '../hub/hub.tsx';
import { useAlertNotifications } from '../live/notifications.ts';
import { useAlertSound } from '../live/sound.ts';
import { ErrorBoundary } from '../parts/ErrorBoundary.tsx';
import { Icon } from '../parts/icons.tsx';
import { useWords } from '../words/words.ts';
import { Banners } from './Banners.tsx';
import { Controls } from './Controls.tsx';
import { Freshness } from './Freshness.tsx';
import { canShowPast, useAddress, useMoment } from './moment.ts';
import { PAGES } from './pages.ts';
import { PaletteDialog } from './PaletteDialog.tsx';
import { useActs, useSignOut } from './useActs.ts';
import { useKeys, type Opened } from './useKeys.ts';
import { useWall } from './wall.ts';

// Opened now and then, and not sent with the page.
const KeyHelp = lazy(() => import('./KeyHelp.tsx'));
const Views = lazy(() => import('./Views.tsx'));
const SignIn = lazy(() => import('./SignIn.tsx'));
const TimeBar = lazy(() => import('./TimeBar.tsx'));

/** What stands around each page: the ways to the others, and how fresh the data is. A wall has nothing around it. */
export function Shell() {
  const say = useWords();
  const { connectionStatus } = useHub();
  const { isWall } = useWall();
  const { pathname } = useLocation();
  useAlertSound();
  useAlertNotifications();
  const page = PAGES.find(({ path }) => pathname.startsWith(path))?.name;
  const { at, wrong } = useMoment();
  const isPast = at !== null;
  useTitle(isPast ? say('pastWord') : page && say(page));
  usePageFocus(page);

  // While a token is being tried the form stays, with what it says.
  const [signedOut, setSignedOut] = useState(false);
  if (connectionStatus === 'unauthorized' && !signedOut) setSignedOut(true);
  if (connectionStatus === 'connected' && signedOut) setSignedOut(false);
  if (signedOut)
    return (
      <ErrorBoundary>
        <Suspense fallback={null}>
          <SignIn />
        </Suspense>
      </ErrorBoundary>
    );
  return (
    <div className="shell" data-wall={isWall || undefined} data-past={isPast || undefined}>
      {!isWall && <Head />}
      <Banners />
      {/* Not drawn without: what is shown stays until the bar is here, and nothing moves. */}
      {(isPast || wrong) && (
        <ErrorBoundary>
          <TimeBar />
        </ErrorBoundary>
      )}
      <main id="content" tabIndex={-1} aria-label={page && say(page)}>
        <ErrorBoundary key={page}>
          <Suspense
            fallback={
              <p className="blank" role="status" aria-busy="true">
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

/** Another page is where the keys go on, and what a screen reader tells; unless it was opened to search in it. */
function usePageFocus(page: string | undefined) {
  const { state } = useLocation();
  const isSearch = state?.search === true;
  const before = useRef(page);
  useEffect(() => {
    if (before.current === page) return;
    before.current = page;
    if (!isSearch) document.getElementById('content')?.focus({ preventScroll: true });
  }, [page, isSearch]);
}

function useTitle(page: string | undefined) {
  const say = useWords();
  const title = page === undefined ? say('product') : `${page} · ${say('product')}`;
  useEffect(() => {
    document.title = title;
  }, [title]);
}

function Head() {
  const say = useWords();
  const address = useAddress();
  const [opened, setOpened] = useState<Opened>(null);
  useKeys(setOpened);
  const acts = useActs(() => setOpened('views'));
  const signOut = useSignOut();
  const close = () => setOpened(null);
  return (
    <>
      <a className="skip" href="#content">
        {say('skip')}
      </a>
      <header className="top">
        <strong className="product">{say('product')}</strong>
        <nav aria-label={say('pages')}>
          {PAGES.map(({ name, path }) => (
            <NavLink key={name} to={canShowPast(path) ? address(path) : path}>
              <Icon name={name} />
              {say(name)}
            </NavLink>
          ))}
        </nav>
        <Freshness />
        <Controls acts={acts} signOut={signOut} openPalette={() => setOpened('palette')} />
      </header>
      <ErrorBoundary key={opened}>
        <Suspense fallback={null}>
          {opened === 'palette' && (
            <PaletteDialog
              acts={[
                ...acts,
                ...(signOut === null ? [] : [signOut]),
                { name: say('shortcuts'), icon: 'keys', run: () => setOpened('keys') },
              ]}
              close={close}
            />
          )}
          {opened === 'views' && <Views close={close} />}
          {opened === 'keys' && <KeyHelp close={close} />}
        </Suspense>
      </ErrorBoundary>
    </>
  );
}
