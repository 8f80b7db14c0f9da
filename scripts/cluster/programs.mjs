/** Programs that are started, killed and started again, by the ids that they were started with. */

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync } from 'node:fs';

/** Everything that runs, so that nothing is left however this process ends. */
const running = new Set();

process.on('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

export class Program {
  /** `ready`: resolves once the started program does its work. */
  constructor({ name, command, args, env, cwd, log, ready = async () => {} }) {
    Object.assign(this, { name, command, args, env, cwd, log, ready });
    this.child = null;
    /** How it ended without being told to, each time. */
    this.surprises = [];
    this.isWanted = false;
  }

  get runs() {
    return this.child !== null && this.child.exitCode === null && this.child.signalCode === null;
  }

  launch() {
    const out = openSync(this.log, 'a');
    const { PATH, HOME } = process.env;
    const child = spawn(this.command, this.args, {
      cwd: this.cwd,
      env: { PATH, HOME, ...this.env },
      stdio: ['ignore', out, out],
      // Ctrl-C is for this script alone, which then ends the others in order.
      detached: true,
    });
    closeSync(out);
    running.add(child);
    this.isWanted = true;
    const over = (how) => {
      running.delete(child);
      if (this.isWanted && this.child === child) this.surprises.push(how);
    };
    child.once('exit', (code, signal) => over(signal ?? `code ${code}`));
    child.once('error', (error) => over(error.message));
    this.child = child;
  }

  /** Starts it, and waits until it does its work. */
  async start() {
    this.launch();
    await this.ready(this);
  }

  /** `kill -9`, or another signal. */
  async kill(signal = 'SIGKILL') {
    if (!this.runs) return;
    this.isWanted = false;
    const gone = once(this.child, 'exit');
    this.child.kill(signal);
    await gone;
  }

  /** In order, and by force where it does not end. */
  async stop(signal = 'SIGTERM', patienceMs = 15_000) {
    if (!this.runs) return;
    const timer = setTimeout(() => this.child.kill('SIGKILL'), patienceMs);
    await this.kill(signal);
    clearTimeout(timer);
  }
}

export const wait = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Waits until this is so; `alive` says whether it still can be. */
export async function until(what, isSo, { patienceMs = 60_000, alive = () => true } = {}) {
  const end = Date.now() + patienceMs;
  for (;;) {
    if (await isSo()) return;
    if (!alive()) throw new Error(`${what}: it ended instead`);
    if (Date.now() > end) throw new Error(`${what}: not within ${patienceMs / 1000} s`);
    await wait(50);
  }
}

/** The content of a page as JSON; null where nothing answers in time. */
export async function json(url, { timeoutMs = 5000 } = {}) {
  try {
    const response = await fetch(url, { signal: AbortSignal.timeout(timeoutMs) });
    return response.ok ? await response.json() : null;
  } catch {
    return null;
  }
}
