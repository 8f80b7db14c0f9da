/** Lets Node run the sources as they stand: `node --import ./test/register.js --test src/…/x.test.ts`. */

import { register } from 'node:module';

register('./typescript.js', import.meta.url);

// What modules look at as they are loaded.
for (const name of ['localStorage', 'sessionStorage']) {
  const kept = new Map();
  const value = {
    getItem: (key) => kept.get(key) ?? null,
    setItem: (key, word) => kept.set(key, word),
    removeItem: (key) => kept.delete(key),
  };
  Object.defineProperty(globalThis, name, { value, configurable: true });
}
