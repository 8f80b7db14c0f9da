/**
 * Makes each language a file of its own: `en.ts` and `pt.ts` are built from files that have both languages side by side,
 * for whoever writes them, and a browser would get both.
 */

import { runnerImport, type Plugin } from 'vite';

const TABLE = /\/src\/words\/(en|pt)\.ts$/;

export function languagesApart(): Plugin {
  return {
    name: 'languages-apart',
    apply: 'build',
    load: {
      filter: { id: TABLE },
      async handler(id) {
        const { module } = await runnerImport<Record<string, unknown>>(id, { configFile: false, logLevel: 'error' });
        const tables = Object.entries(module).map(
          ([name, table]) => `export const ${name} = ${JSON.stringify(table)};`,
        );
        return tables.join('\n');
      },
    },
  };
}
