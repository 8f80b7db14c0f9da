/**
 * Puts compressed copies beside the built files, for the hub to send as they are: the smallest that there are, because
 * nobody waits for them to be made. `.br` is for browsers over HTTPS and on the computer itself, `.gz` for all others.
 * Only files whose names tell their content have copies, so that no copy is ever older than its file.
 */

import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { brotliCompress, constants, gzip } from 'node:zlib';
import type { Plugin } from 'vite';

const TEXTS = /^assets\/.*\.(js|css)$/;
/** Less than this fits into one packet as it is. */
const BYTES_MIN = 1400;

export function compress(): Plugin {
  return {
    name: 'compress',
    apply: 'build',
    // Once all files are what they will be.
    writeBundle: {
      order: 'post',
      async handler({ dir = '' }, bundle) {
        const texts = Object.keys(bundle).filter((name) => TEXTS.test(name));
        const copies = texts.map(async (name) => {
          const path = join(dir, name);
          const bytes = await readFile(path);
          if (bytes.length < BYTES_MIN) return;
          await writeFile(`${path}.br`, await promisify(brotliCompress)(bytes, BROTLI));
          await writeFile(`${path}.gz`, await promisify(gzip)(bytes, { level: constants.Z_BEST_COMPRESSION }));
        });
        await Promise.all(copies);
      },
    },
  };
}

const BROTLI = {
  params: {
    [constants.BROTLI_PARAM_QUALITY]: constants.BROTLI_MAX_QUALITY,
    [constants.BROTLI_PARAM_MODE]: constants.BROTLI_MODE_TEXT,
  },
};
