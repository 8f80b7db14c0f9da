/**
 * Writes a document for each page that is sent when it is opened: `index.html`, which asks for the page's own files as well. Else
 * they would be asked for only once the first script runs, a way to the hub and back later.
 */

import type { Plugin, Rolldown } from 'vite';

/** Pages by the first part of their address, as in `src/app/pageFiles.ts`. */
const PAGES = {
  chats: '/chats/ChatsPage.tsx',
  reports: '/reports/ReportsPage.tsx',
  settings: '/settings/SettingsPage.tsx',
  status: '/health/HealthPage.tsx',
};
const INDEX = 'index.html';

export function documents(): Plugin {
  return {
    name: 'documents',
    apply: 'build',
    enforce: 'post',
    generateBundle: {
      order: 'post',
      handler(_, bundle) {
        const index = bundle[INDEX];
        if (index?.type !== 'asset') throw new Error(`${INDEX} is not in the build`);
        const text = String(index.source);
        for (const [page, module] of Object.entries(PAGES)) {
          const tags = filesOf(bundle, module).filter((file) => !text.includes(file));
          const source = text.replace('</head>', `  ${tags.map(tag).join('\n    ')}\n  </head>`);
          this.emitFile({ type: 'asset', fileName: `pages/${page}.html`, source });
        }
      },
    },
  };
}

/** Scripts and styles that draw a page, without those that they ask for later. */
function filesOf(bundle: Rolldown.OutputBundle, module: string): string[] {
  const first = Object.values(bundle).find((file) => file.type === 'chunk' && file.facadeModuleId?.endsWith(module));
  if (first?.type !== 'chunk') throw new Error(`${module} is no chunk of its own`);
  const [scripts, styles] = [new Set<string>(), new Set<string>()];
  const take = (name: string) => {
    const chunk = bundle[name];
    if (chunk?.type !== 'chunk' || scripts.has(name)) return;
    scripts.add(name);
    for (const style of chunk.viteMetadata?.importedCss ?? []) styles.add(style);
    chunk.imports.forEach(take);
  };
  take(first.fileName);
  return [...scripts, ...styles];
}

function tag(file: string): string {
  const rel = file.endsWith('.js') ? 'rel="modulepreload"' : 'rel="preload" as="style"';
  return `<link ${rel} crossorigin fetchpriority="low" href="/${file}">`;
}
