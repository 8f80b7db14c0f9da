/** Node's hooks for TypeScript and JSX, by the compiler that the build has; so tests need no package of their own. */

import { readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';

import { transformWithOxc } from 'vite';

const HERE = import.meta.url;

/** The client is a link to a folder that has no React of its own. */
export function resolve(specifier, context, next) {
  return /^react(-dom)?(\/|$)/.test(specifier)
    ? next(specifier, { ...context, parentURL: HERE })
    : next(specifier, context);
}

export async function load(url, context, next) {
  if (!/\.tsx?$/.test(url)) return next(url, context);
  const path = fileURLToPath(url);
  const { code } = await transformWithOxc(await readFile(path, 'utf8'), path, {
    sourcemap: false,
    jsx: { runtime: 'automatic' },
  });
  return { format: 'module', source: code, shortCircuit: true };
}
