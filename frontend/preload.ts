/**
 * Asks for two files with the page itself. The typeface: told by the styles alone it comes late, and letters change once
 * they are read. And the script that draws, which the first one asks for only once it runs.
 */

import type { Plugin } from 'vite';

/** The letters of Portuguese and English. */
const FONT = /inter-latin-wght-normal-[^/]*\.woff2$/;
/** As `vite.config.ts` names it. */
const APP = /\/app-[^/]*\.js$/;

export function preload(): Plugin {
  return {
    name: 'preload',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle = {} }) => {
        const address = (file: RegExp) => {
          const found = Object.keys(bundle).find((name) => file.test(name));
          if (found === undefined) throw new Error(`${file} is not in the build`);
          return `/${found}`;
        };
        // After the styles and the first script, without which nothing is seen and nothing is asked for.
        const late = { crossorigin: true, fetchpriority: 'low' };
        const font = { rel: 'preload', as: 'font', type: 'font/woff2', ...late, href: address(FONT) };
        const app = { rel: 'modulepreload', ...late, href: address(APP) };
        return [font, app].map((attrs) => ({ tag: 'link', attrs, injectTo: 'head' as const }));
      },
    },
  };
}
