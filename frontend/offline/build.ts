/** Puts the service worker and the page that it keeps beside the built dashboard, under addresses that never change. */

import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Plugin } from 'vite';

const WORKER = 'sw.js';
const KEPT = ['offline.html', 'offline.css', 'offline.js'];
const ICON = '../public/icons/icon.svg';
/** The letters of Portuguese and English, whose file has another name in each build that changes it. */
const FACE = /^assets\/inter-latin-wght-normal-.*\.woff2$/;

export function offline(): Plugin {
  const read = (name: string) => readFile(join(import.meta.dirname, name), 'utf8');
  return {
    name: 'offline',
    apply: 'build',
    async generateBundle(_, bundle) {
      const face = Object.keys(bundle).find((name) => FACE.test(name));
      if (face === undefined) this.error('the build has no typeface for the page that stands in for the hub');
      const version = createHash('sha256');
      for (const fileName of KEPT) {
        const source = (await read(fileName)).replace('%FACE%', `/${face}`);
        version.update(source);
        this.emitFile({ type: 'asset', fileName, source });
      }
      version.update(await read(ICON));
      const worker = (await read(WORKER))
        .replace('%VERSION%', version.digest('hex').slice(0, 16))
        .replace('%FACE%', `/${face}`);
      this.emitFile({ type: 'asset', fileName: WORKER, source: worker });
    },
  };
}
