import { createTheme, MantineProvider } from '@mantine/core';
import { lazy, useState } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';

import { HubProvider } from '../hub/hub.tsx';
import { LivePage } from '../live/LivePage.tsx';
import { Begin } from './Begin.tsx';
import { Lost } from './Lost.tsx';
import { arrivedPage, loadPage, type SentPage } from './pageFiles.ts';
import { Shell } from './Shell.tsx';

const LATER = {
  chats: lazy(() => loadPage('chats')),
  reports: lazy(() => loadPage('reports')),
  settings: lazy(() => loadPage('settings')),
  status: lazy(() => loadPage('status')),
};

const theme = createTheme({ fontFamily: 'inherit', defaultRadius: 'md', cursorType: 'pointer' });

/** The hub's content security policy lets no style tags in, so Mantine's come from files alone. */
export function App() {
  return (
    <MantineProvider theme={theme} defaultColorScheme="auto" withCssVariables={false} withGlobalClasses={false}>
      <HubProvider>
        <BrowserRouter>
          <Routes>
            <Route element={<Shell />}>
              <Route index element={<Begin />} />
              <Route path="live" element={<LivePage />} />
              <Route path="chats/:id?" element={<Sent key="chats" page="chats" />} />
              <Route path="reports" element={<Sent key="reports" page="reports" />} />
              <Route path="settings/:part?" element={<Sent key="settings" page="settings" />} />
              <Route path="status" element={<Sent key="status" page="status" />} />
              {/* Its address until the menu's word became its name. */}
              <Route path="hub" element={<Navigate to="/status" replace />} />
              <Route path="*" element={<Lost />} />
            </Route>
          </Routes>
        </BrowserRouter>
      </HubProvider>
    </MantineProvider>
  );
}

/**
 * A page that is sent when it is opened. One that is here is drawn at once: what stands in for one that is not stays for 300 ms,
 * because React lets nothing flash.
 */
function Sent({ page }: { page: SentPage }) {
  const [Page] = useState(() => arrivedPage(page) ?? LATER[page]);
  return <Page />;
}
