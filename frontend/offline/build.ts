/** Puts the service worker and the page that it keeps beside the built dashboard, under addresses that never change. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const WORKER = 'sw.js';
const KEPT = ['offline.html', 'offline.css', 'offline.js'];
const ICON = '../public/icons/icon.svg';

export function offline(): Plugin {
  const read = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');
  return {
    name: 'offline',
    apply: 'build',
    async generateBundle() {
      const version = createHash('sha256');
      for (const fileName of KEPT) {
        const source = await read(fileName);
        version.update(source);
        this.emitFile({ type: 'asset', fileName, source });
      }
      version.update(await read(ICON));
      const worker = (await read(WORKER)).replace('%VERSION%', version.digest('hex').slice(0, 16));
      this.emitFile({ type: 'asset', fileName: WORKER, source: worker });
    },
  };
}
