/**
 * Leaves out of the typeface's file what no page uses: alternative shapes of letters, and weights below that of running
 * text. All its letters stay, and each is drawn as before. Made anew in each build, from the file of the package.
 */

import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import subsetFont from 'subset-font';
import type { Plugin } from 'vite';

const STYLES = /\/inter\/wght\.css$/;
/** The letters of Portuguese and English; others come from files of their own, where a text has any. */
const NAME = 'inter-latin-wght-normal.woff2';
const FACE = /url\(\.\/files\/inter-latin-wght-normal\.woff2\)[^}]*unicode-range: *([^;]+);/;
/** A folder that nothing else in a checkout looks at. */
const MADE = join(import.meta.dirname, 'node_modules/.typeface', NAME);
/** What browsers apply by themselves, and figures of one width. Without `pnum` hints of a lone minus come out otherwise. */
const FEATURES = 'calt ccmp clig kern liga locl mark mkmk pnum rclt rlig rvrn tnum'.split(' ');
/** To the typeface's end: between two weights that it was made at, widths of letters would come out otherwise. */
const WEIGHTS = { min: 400, max: 900, default: 400 };

export function typeface(): Plugin {
  return {
    name: 'typeface',
    apply: 'build',
    enforce: 'pre',
    transform: {
      filter: { id: STYLES },
      async handler(css, id) {
        const ranges = FACE.exec(css)?.[1];
        if (ranges === undefined) throw new Error(`${id} does not name ${NAME}`);
        const whole = await readFile(join(dirname(id), 'files', NAME));
        const small = await subsetFont(whole, lettersOf(ranges), {
          targetFormat: 'woff2',
          keepFeatures: FEATURES,
          variationAxes: { wght: WEIGHTS },
        });
        await mkdir(dirname(MADE), { recursive: true });
        // Whole at once: another build may be at it.
        await writeFile(`${MADE}.${process.pid}`, small);
        await rename(`${MADE}.${process.pid}`, MADE);
        return css.replace(`./files/${NAME}`, relative(dirname(id), MADE));
      },
    },
  };
}

/** What a style sheet's `U+0000-00FF,U+0131` stands for. */
function lettersOf(ranges: string): string {
  return ranges
    .split(',')
    .map((range) => {
      const [from = Number.NaN, until = from] = range
        .trim()
        .slice(2)
        .split('-')
        .map((hex) => Number.parseInt(hex, 16));
      return String.fromCodePoint(...Array.from({ length: until - from + 1 }, (_, place) => from + place));
    })
    .join('');
}
