/** The real binary on a free port, with a database of its own; ended, and removed, with the test. */

import { spawn } from 'node:child_process';
import { createHmac, randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { createInterface } from 'node:readline';

import { atEnd } from './end.js';
import { calmZone } from './zone.js';

const HERE = import.meta.dirname;
/** The binary that is tested. */
export const BINARY = resolve(process.env.UMBLER_HUB_BIN ?? join(HERE, '../../../target/debug/umbler-hub'));
const FIXTURES = join(HERE, '../../fixtures/deliveries');
/** A key for tests that sign in. */
export const JWT_SECRET = 'a key of thirty-two bytes or more, for tests';

/** How `scripts/flakes.sh` changes clock and zone: a test that runs at another time or place has its hub there too. */
const FAKED = Object.fromEntries(
  Object.entries(process.env).filter(([name]) => /^(TZ$|LD_PRELOAD$|FAKETIME|DONT_FAKE)/.test(name)),
);

/** Starts a hub in a zone where no day and no hour turns while the test runs. */
export async function spawnHub(t, settings = {}) {
  const home = await mkdtemp(join(tmpdir(), 'umbler-hub-js-'));
  const hub = new Hub(home, { TIMEZONE: calmZone(), ...settings });
  atEnd(t, async () => {
    await hub.kill();
    await rm(home, { recursive: true, force: true });
  });
  await hub.start();
  return hub;
}

class Hub {
  #process = null;
  #wroteAt = 0;

  constructor(home, settings) {
    this.home = home;
    this.settings = { PORT: '0', ...settings };
  }

  get origin() {
    return `http://127.0.0.1:${this.settings.PORT}`;
  }

  get socket() {
    return `ws://127.0.0.1:${this.settings.PORT}/ws`;
  }

  async start() {
    this.#process = spawn(BINARY, [], {
      cwd: this.home,
      env: {
        ...FAKED,
        DATABASE_PATH: join(this.home, 'hub.db'),
        RATE_LIMIT_REST_PER_SECOND: '0',
        RATE_LIMIT_CONNECTS_PER_SECOND: '0',
        RUST_LOG: 'warn',
        ...this.settings,
      },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    let log = '';
    this.#process.stderr.on('data', (text) => (log += text));
    const [line] = await Promise.race([
      once(createInterface(this.#process.stdout), 'line'),
      once(this.#process, 'exit').then(() => [`it ended: ${log}`]),
    ]);
    const [, port] = /^listening on \S+:(\d+)$/.exec(line) ?? [];
    if (port === undefined) throw new Error(`the hub did not start: ${line}`);
    // Started again, it comes back where it was.
    this.settings.PORT = port;
  }

  /** `kill -9`. */
  async kill() {
    const { exitCode, signalCode } = this.#process;
    if (exitCode !== null || signalCode !== null) return;
    const gone = once(this.#process, 'exit');
    this.#process.kill('SIGKILL');
    await gone;
  }

  /** Posts a delivery and expects it to be taken in. */
  async post(delivery) {
    const response = await fetch(`${this.origin}/api/umbler/webhook`, {
      method: 'POST',
      body: JSON.stringify(delivery),
    });
    if (!response.ok) throw new Error(`the hub answered ${response.status}: ${await response.text()}`);
    return response.json();
  }

  /** A customer writes. */
  async says(chat, text, change = () => {}) {
    const delivery = JSON.parse(await readFile(join(FIXTURES, '01_message_text_contact.json'), 'utf8'));
    // No two of one moment, and none of the future.
    this.#wroteAt = Math.max(Date.now(), this.#wroteAt + 1);
    const at = new Date(this.#wroteAt).toISOString();
    delivery.EventId = `event-${randomUUID()}`;
    delivery.EventDate = at;
    const { Content: content } = delivery.Payload;
    Object.assign(content, { Id: chat });
    Object.assign(content.Contact, { Id: `contact-of-${chat}`, Name: `Contact of ${chat}` });
    Object.assign(content.LastMessage, {
      Id: `message-${randomUUID()}`,
      Chat: { Id: chat },
      Content: text,
      EventAtUTC: at,
    });
    change(delivery, content);
    return this.post(delivery);
  }

  /** A person's data are erased, on a hub that asks nobody who they are. */
  async erases(contact) {
    const response = await fetch(`${this.origin}/api/umbler/contacts/${contact}/personal-data?reason=request%2017`, {
      method: 'DELETE',
      headers: { 'content-type': 'application/json' },
    });
    if (!response.ok) throw new Error(`the hub answered ${response.status}: ${await response.text()}`);
  }

  async json(path, token) {
    const headers = token ? { authorization: `Bearer ${token}` } : {};
    const response = await fetch(this.origin + path, { headers });
    return response.json();
  }

  /** Runs a command of the binary against this hub, to its end. */
  async run(...args) {
    const child = spawn(BINARY, args, { cwd: this.home, env: FAKED, stdio: ['ignore', 'pipe', 'pipe'] });
    let said = '';
    child.stdout.on('data', (text) => (said += text));
    child.stderr.on('data', (text) => (said += text));
    const [code] = await once(child, 'exit');
    if (code !== 0) throw new Error(`${args.join(' ')} ended with ${code}: ${said}`);
    return said;
  }
}

/** A token as the hub wants it. */
export function token(claims = {}) {
  const part = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const now = Math.floor(Date.now() / 1000);
  const text = `${part({ alg: 'HS256', typ: 'JWT' })}.${part({ sub: 'ana', role: 'admin', exp: now + 3600, ...claims })}`;
  return `${text}.${createHmac('sha256', JWT_SECRET).update(text).digest('base64url')}`;
}
