import react from '@vitejs/plugin-react';
import { defineConfig, loadEnv } from 'vite';

import { languagesApart } from './apart.ts';
import { compress } from './compress.ts';
import { documents } from './documents.ts';
import { offline } from './offline/build.ts';
import { preload } from './preload.ts';
import { typeface } from './typeface.ts';

export default defineConfig(({ mode }) => {
  const backend = loadEnv(mode, process.cwd()).VITE_BACKEND_URL || 'http://localhost:3001';
  return {
    plugins: [react(), languagesApart(), offline(), preload(), typeface(), documents(), compress()],
    // The client is a link to ../static/client, which has no React of its own.
    resolve: { dedupe: ['react', 'react-dom'] },
    build: {
      chunkSizeWarningLimit: 700,
      // What every page needs is two files: what opens the connection, and what draws. Thirty small ones would each cost a phone a
      // way to the hub and back. Pages that are opened now and then are files of their own, and so are the fields of forms, which
      // most of them have and Live has not.
      rolldownOptions: {
        // Compressing well takes long, and is meant to.
        checks: { pluginTimings: false },
        output: {
          codeSplitting: {
            groups: [
              { name: 'begin', tags: ['$initial'], priority: 2 },
              { name: 'app', test: /\/src\/(app\/draw\.tsx|parts\/.*\.tsx?)$/, priority: 1 },
              { name: 'fields', test: /\/@mantine\/core\/.*\/(TextInput|NativeSelect|Checkbox)\// },
            ],
          },
        },
      },
    },
    server: {
      port: 5173,
      // The hub lets in pages of this port; another one would be refused without a word.
      strictPort: true,
      fs: { allow: ['.', '../static/client'] },
      // The page talks to its own address; what is the hub's goes on to the hub.
      proxy: {
        '/ws': { target: backend, ws: true },
        '/api': { target: backend },
        '/health': { target: backend },
      },
    },
  };
});
