/** The demo of `scripts/cluster-demo.sh`, which says what it does. */

import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { parseArgs, promisify } from 'node:util';

import { Balancer } from './balancer.mjs';
import { Ledger } from './ledger.mjs';
import { COUNT, hubs, natsServer, PORTS, ports, servers } from './members.mjs';
import { json, Program, until, wait } from './programs.mjs';
import { Screens } from './screens.mjs';

const FRONTEND = join(import.meta.dirname, '../../frontend');
/** How long what was killed stays away, as a part of the time between two kills. */
const AWAY = 0.4;
const LINE_EVERY_MS = 5000;
/** Hours that the dashboard shows at once. */
const BACKFILL_HOURS = 1;

const say = (text) => process.stdout.write(`${new Date().toTimeString().slice(0, 8)}  ${text}\n`);

/** Ends the demo early, in order. */
const ending = new AbortController();

function options() {
  const number = (least, most, fallback) => ({ least, most, fallback });
  const numbers = {
    minutes: number(0.1, 24 * 60, null),
    kills: number(0, 100_000, null),
    every: number(2, 3600, 20),
    rate: number(1, 1000, 20),
    screens: number(0, 200, 6),
    port: number(0, 65_535 - PORTS, 3100),
    seed: number(0, 2 ** 31, null),
  };
  const strings = Object.fromEntries(Object.keys(numbers).map((name) => [name, { type: 'string' }]));
  const flags = { 'no-dashboard': { type: 'boolean' }, check: { type: 'boolean' } };
  const { values } = parseArgs({ options: { ...strings, ...flags } });
  const found = { dashboard: !values['no-dashboard'], check: values.check };
  for (const [name, { least, most, fallback }] of Object.entries(numbers)) {
    const text = values[name];
    const value = text === undefined ? fallback : Number(text);
    const isWrong = text !== undefined && (text.trim() === '' || !(value >= least && value <= most));
    if (isWrong) throw new Error(`--${name} must be a number from ${least} to ${most}, and is ${text || 'empty'}`);
    if (text !== undefined && !['minutes', 'every'].includes(name) && !Number.isInteger(value))
      throw new Error(`--${name} must be a whole number, and is ${text}`);
    found[name] = value;
  }
  if (found.minutes !== null && found.kills !== null) throw new Error('--minutes and --kills exclude each other');
  if (found.kills === null) found.minutes ??= 10;
  found.seed ??= Math.floor(Math.random() * 2 ** 31);
  return found;
}

/** Numbers from 0 to 1 that follow from a seed. */
function chance(seed) {
  let state = seed >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

/** The built dashboard. */
async function dashboard(folder) {
  const run = promisify(execFile);
  const vite = join(FRONTEND, 'node_modules/vite/bin/vite.js');
  if (!existsSync(vite)) {
    say('npm installs the packages of the dashboard');
    await run('npm', ['ci', '--no-audit', '--no-fund'], { cwd: FRONTEND });
  }
  say('the dashboard is built');
  const built = join(folder, 'dashboard');
  await run(process.execPath, [vite, 'build', '--outDir', built, '--emptyOutDir', '--logLevel', 'warn'], {
    cwd: FRONTEND,
  });
  return built;
}

/** The simulated team. What it posts, and what is answered, the balancer sees. */
function team(binary, folder, url, { rate, seed }, more) {
  const args = [
    'simulate',
    '--url',
    url,
    '--rate',
    String(rate),
    '--seed',
    String(seed),
    '--connections',
    '4',
    ...more,
  ];
  return new Program({ name: 'team', command: binary, args, env: {}, cwd: folder, log: join(folder, 'team.log') });
}

class Demo {
  #members = [];
  #kills = 0;

  constructor(chosen, folder) {
    Object.assign(this, { chosen, folder, binary: resolve(process.env.UMBLER_HUB_BIN ?? 'target/debug/umbler-hub') });
  }

  async start() {
    const { chosen, folder, binary } = this;
    const [front, ...rest] = await ports(chosen.port);
    const program = await natsServer();
    const built = chosen.dashboard ? await dashboard(folder) : null;
    const nats = await servers(program, folder, rest.slice(COUNT));
    this.#members.push(...nats);
    await Promise.all(nats.map((server) => server.start()));
    const made = await hubs(binary, folder, rest.slice(0, COUNT), nats, { dashboard: built });
    this.#members.push(...made);
    this.hubs = made;
    await Promise.all(made.map((hub) => hub.start()));
    await this.#settled();
    this.url = `http://127.0.0.1:${front}`;
    this.balancer = new Balancer(made.map(({ origin }) => origin));
    this.ledger = new Ledger(made);
    this.balancer.acknowledged = (body, answer) => this.ledger.acknowledge(body, answer);
    this.balancer.refused = () => this.ledger.refuse();
    await this.balancer.listen(front);
    this.screens = new Screens(chosen.screens, this.url);
    await this.screens.connect();
    this.team = team(binary, folder, this.url, chosen, ['--backfill', String(BACKFILL_HOURS)]);
    await this.team.start();
  }

  tell() {
    const { chosen, url, hubs: made, folder } = this;
    say(`seed ${chosen.seed}; logs are in ${folder}`);
    say(`${chosen.dashboard ? 'dashboard' : 'console'}  ${url}${chosen.dashboard ? '/' : '/console'}`);
    say(`hubs       ${made.map(({ name, origin }) => `${name} ${origin}`).join('  ')}`);
    say(
      chosen.minutes === null
        ? `it ends after ${chosen.kills} kills`
        : `it ends in ${chosen.minutes} min, or with Ctrl-C`,
    );
  }

  /** Kills one after the other until it is enough. */
  async run() {
    const { minutes, kills, every, seed } = this.chosen;
    const random = chance(seed);
    const end = minutes === null ? Number.POSITIVE_INFINITY : Date.now() + minutes * 60_000;
    const line = setInterval(() => void this.#line(), LINE_EVERY_MS);
    let turns = [];
    while (!ending.signal.aborted && this.#kills < (kills ?? Number.POSITIVE_INFINITY)) {
      if (!(await pause(every * (1 - AWAY) * 1000, end))) break;
      // Each of the six once, in an order by chance, then again.
      if (turns.length === 0) turns = [...this.#members];
      const [member] = turns.splice(Math.floor(random() * turns.length), 1);
      await this.#fell(member, every * AWAY * 1000, end);
    }
    clearInterval(line);
  }

  async #fell(member, awayMs, end) {
    const label = `${member.kind === 'hub' ? 'hub' : 'NATS server'} ${member.name}`;
    const pid = member.child.pid;
    await member.kill();
    this.#kills += 1;
    say(`✗ ${label} was killed (kill -9 ${pid})`);
    await pause(awayMs, end);
    await member.start();
    say(`✓ ${label} is started again`);
  }

  async #line() {
    await this.ledger.read();
    const { acknowledged, refused, waiting, lost, doubled } = this.ledger.figures();
    const { live, all, returns } = this.screens;
    say(
      `  ${acknowledged} acknowledged, ${acknowledged - waiting} shown by all hubs, ${waiting} on their way, ${lost} lost, ` +
        `${doubled} doubled, ${refused} refused; ${live} of ${all.length} screens live, ` +
        `which came back ${returns} times; ${this.#kills} kills`,
    );
  }

  /** Waits until all hubs have applied all of the stream, and no inbox holds anything. */
  async #settled() {
    const isSettled = async () => {
      const said = await Promise.all(this.hubs.map(({ origin }) => json(`${origin}/health`)));
      const parts = said.map((health) => health?.cluster);
      const [first] = parts;
      return parts.every((part) => part?.ready && part.inbox === 0 && part.applied === first?.newest);
    };
    await until('all hubs are in step', isSettled, { patienceMs: 120_000 });
  }

  /** What differs in the end. */
  async judge() {
    say('nothing more is posted; everything comes back, and is compared');
    const surprised = [...this.#members, this.team].flatMap(({ name, surprises }) =>
      surprises.map((how) => `${name} ended by itself: ${how}`),
    );
    await this.team.stop('SIGINT');
    await Promise.all(this.#members.map((member) => member.runs || member.start()));
    await this.#settled();
    const found = await this.ledger.differences();
    await this.screens.reach(Math.max(0, ...this.ledger.positionsAfter(0)));
    await this.#line();
    return [...surprised, ...found, ...this.screens.differences(this.ledger)];
  }

  async stop() {
    this.screens?.close();
    this.balancer?.close();
    await this.team?.stop('SIGINT', 5000);
    // Hubs first: they bring what they hold into the stream.
    const kind = (wanted) => this.#members.filter((member) => member.kind === wanted);
    await Promise.all(kind('hub').map((member) => member.stop()));
    await Promise.all(kind('server').map((member) => member.stop()));
  }
}

/** Waits for so long; false where the demo ends before that. */
async function pause(ms, end) {
  const until = Math.min(end, Date.now() + ms);
  while (Date.now() < until && !ending.signal.aborted) await wait(Math.min(100, until - Date.now()));
  return Date.now() < end && !ending.signal.aborted;
}

async function main() {
  const chosen = options();
  if (chosen.check) {
    await ports(chosen.port);
    return 0;
  }
  const folder = await mkdtemp(join(tmpdir(), 'umbler-hub-cluster-'));
  const demo = new Demo(chosen, folder);
  let signals = 0;
  for (const signal of ['SIGINT', 'SIGTERM'])
    process.on(signal, () => {
      signals += 1;
      ending.abort();
      // Whoever presses Ctrl-C again does not want to know what differs. What runs is ended on the way out.
      if (signals > 1) process.exit(130);
    });
  let found;
  try {
    await demo.start();
    demo.tell();
    await demo.run();
    found = await demo.judge();
  } catch (error) {
    found = [error.message];
  }
  await demo.stop();
  if (found.length === 0) {
    await rm(folder, { recursive: true, force: true });
    process.stdout.write('ok\n');
    return 0;
  }
  process.stdout.write(`${found.map((each) => `differs: ${each}`).join('\n')}\nThe logs are in ${folder}.\n`);
  return 1;
}

try {
  process.exit(await main());
} catch (error) {
  process.stderr.write(`${error.message}\nNothing was started.\n`);
  process.exit(2);
}
