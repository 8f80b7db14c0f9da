/** The status page of a hub in a cluster: three real hubs on three real servers of NATS. */

import assert from 'node:assert/strict';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';

import { COUNT, hubs, natsServer, PORTS, ports, servers } from '../../../scripts/cluster/members.mjs';
import { launch } from '../support/browser.js';
import { axe, buildDashboard, healthAs, NO_WORKER, text, visit } from '../support/dashboard.js';
import { atEnd } from '../support/end.js';
import { BINARY, spawnHub } from '../support/hub.js';

let browser;
let dashboard;
before(async () => ([browser, dashboard] = await Promise.all([launch(), buildDashboard()])));
after(() => Promise.all([browser.close(), dashboard.remove()]));

/** Where the server cannot be had, these tests are skipped and say so. */
async function server(t) {
  if (process.env.FAKETIME) return void t.skip('the NATS server cannot share a clock that is faked');
  try {
    return await natsServer();
  } catch (error) {
    if (process.env.REQUIRE_ALL_TESTS) throw error;
    return void t.skip(error.message);
  }
}

/** Three hubs and three servers, which end with the test. */
async function cluster(t, program) {
  const folder = await mkdtemp(join(tmpdir(), 'umbler-hub-cluster-'));
  const given = (await ports(0)).slice(0, PORTS);
  const nats = await servers(program, folder, given.slice(1 + COUNT));
  const members = [...nats];
  atEnd(t, async () => {
    await Promise.all(members.map((member) => member.kill()));
    await rm(folder, { recursive: true, force: true });
  });
  await Promise.all(nats.map((each) => each.start()));
  const made = await hubs(BINARY, folder, given.slice(1, 1 + COUNT), nats, { dashboard: dashboard.folder });
  members.push(...made);
  await Promise.all(made.map((hub) => hub.start()));
  return made;
}

test('the status page shows the hubs of a cluster, which has the duties, and which does not answer any more', async (t) => {
  const program = await server(t);
  if (!program) return;
  const [a, b, c] = await cluster(t, program);
  const { page, clean } = await visit(t, browser, a, '/status');
  const row = (name) => page.locator(`.node[data-node=${name}]`);
  for (const name of ['a', 'b', 'c']) await row(name).and(page.locator('[data-tone=good]')).waitFor();
  await text(page, '[data-testid=cluster]', '3 of 3 hubs are in step');
  await text(page, '.node[data-node=a] .chip', 'answers this page');
  await page.locator('.node .chip', { hasText: 'has the duties' }).first().waitFor();
  await text(page, '[data-testid=cluster] .facts', '3 of 3');
  assert.deepEqual(await axe(page), []);
  await c.kill();
  await row('c').and(page.locator('[data-tone=bad]')).waitFor();
  await text(page, '[data-testid=cluster]', '2 of 3 hubs are in step');
  await c.start();
  await row('c').and(page.locator('[data-tone=good]')).waitFor();
  const portuguese = await visit(t, browser, b, '/status', { locale: 'pt-BR', viewport: { width: 390, height: 800 } });
  await text(portuguese.page, '[data-testid=cluster]', '3 de 3 hubs em dia');
  const wide = await portuguese.page.evaluate(() => document.documentElement.scrollWidth);
  assert.ok(wide <= 390, `it is ${wide} px wide`);
  portuguese.clean();
  clean();
});

test('the status page says what a hub of a cluster waits for, and why one has stopped', async (t) => {
  const program = await server(t);
  if (!program) return;
  const [a] = await cluster(t, program);
  const { page, clean } = await visit(t, browser, a, '/status', NO_WORKER);
  // Hours and faults of disks until real hubs say so: what they say is as it would be then.
  await healthAs(page, (answer) => {
    Object.assign(answer.cluster, { connected: false, ready: false, inbox: 1234, lagSeconds: 75, replicasCurrent: 2 });
    answer.cluster.halted = 'this database has another history than the stream';
    return answer;
  });
  await text(page, '.node[data-node=a] .node-state', 'Stopped: this database has another history than the stream');
  for (const wanted of ['1 min', '1,234']) await text(page, '.node[data-node=a] [data-bad]', wanted);
  for (const wanted of ['none', '2 of 3']) await text(page, '[data-testid=cluster] > .facts [data-bad]', wanted);
  await text(page, '[data-testid=cluster]', 'What is in an inbox is stored');
  assert.deepEqual(await axe(page), []);
  clean();
});

test('the status page of a hub on its own says nothing of a cluster', async (t) => {
  const hub = await spawnHub(t, { DASHBOARD_DIR: dashboard.folder });
  const { page, clean } = await visit(t, browser, hub, '/status');
  await text(page, '.health h2', 'Hub');
  assert.equal(await page.locator('[data-testid=cluster]').count(), 0);
  clean();
});
