import { createTheme, MantineProvider } from '@mantine/core';
import { lazy } from 'react';
import { BrowserRouter, Navigate, Route, Routes } from 'react-router';

import { HubProvider } from '../hub/hub.tsx';
import { LivePage } from '../live/LivePage.tsx';
import { Begin } from './Begin.tsx';
import { Lost } from './Lost.tsx';
import { PAGE_FILES } from './pageFiles.ts';
import { Shell } from './Shell.tsx';

const ChatsPage = lazy(PAGE_FILES.chats);
const ReportsPage = lazy(PAGE_FILES.reports);
const SettingsPage = lazy(PAGE_FILES.settings);
const HealthPage = lazy(PAGE_FILES.status);

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
              <Route path="chats/:id?" element={<ChatsPage />} />
              <Route path="reports" element={<ReportsPage />} />
              <Route path="settings/:part?" element={<SettingsPage />} />
              <Route path="status" element={<HealthPage />} />
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
