/** Asks for the typeface with the page itself: told by the styles alone it comes late, and letters change once they are read. */

import type { Plugin } from 'vite';

/** The letters of Portuguese and English. */
const FILE = /inter-latin-wght-normal-[^/]*\.woff2$/;

export function preloadFont(): Plugin {
  return {
    name: 'preload-font',
    apply: 'build',
    transformIndexHtml: {
      order: 'post',
      handler: (_, { bundle = {} }) => {
        const file = Object.keys(bundle).find((name) => FILE.test(name));
        if (file === undefined) throw new Error('the typeface is not in the build');
        const attrs = { rel: 'preload', as: 'font', type: 'font/woff2', crossorigin: true, href: `/${file}` };
        return [{ tag: 'link', attrs, injectTo: 'head' }];
      },
    },
  };
}
