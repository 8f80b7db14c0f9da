/**
 * Runs every test of this folder, as `npm test` does. The dashboard is built once for all of them, and the files that take
 * longest begin first, so that no core is idle while the last one goes on alone.
 */

import { readdirSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { join } from 'node:path';
import { run } from 'node:test';
import { spec } from 'node:test/reporters';

import { buildDashboard } from './support/dashboard.js';

const HERE = import.meta.dirname;
const FOLDERS = ['browser', 'hub', 'unit'];
const LONGEST = ['browser/screens.test.js', 'browser/dashboard.test.js', 'hub/truth.test.js'];
/** One more than there are cores: now and then a test only waits, for a line that comes again or a moment that is due. */
const AT_ONCE = availableParallelism() + 1;

const all = FOLDERS.flatMap((folder) =>
  readdirSync(join(HERE, folder))
    .filter((name) => name.endsWith('.test.js'))
    .sort()
    .map((name) => `${folder}/${name}`),
);
const files = [...LONGEST, ...all.filter((file) => !LONGEST.includes(file))].map((file) => join(HERE, file));

const dashboard = await buildDashboard();
process.env.DASHBOARD_BUILT = dashboard.folder;
run({ files, concurrency: AT_ONCE })
  .on('test:fail', () => {
    process.exitCode = 1;
  })
  .on('end', () => dashboard.remove())
  .compose(new spec())
  .pipe(process.stdout);
