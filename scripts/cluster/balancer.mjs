/**
 * A balancer in front of hubs, as `docs/cluster.md` asks for one: webhooks go to any hub that lives, everything else to one
 * that is ready, and what a hub did not answer goes to the next where that changes nothing.
 */

import { Agent, createServer, request as ask } from 'node:http';
import { connect } from 'node:net';

/** How often hubs are looked at. */
const LOOK_MS = 300;
const LOOK_MAX_MS = 2000;
/** How long a hub may take to answer; longer than any of its own waits. */
const ANSWER_MAX_MS = 10_000;
/** Largest body of a webhook, and some more. */
const BODY_MAX = 12 * 1024 * 1024;
const WEBHOOK = '/api/umbler/webhook';

export class Balancer {
  #hubs;
  #next = 0;
  #agent = new Agent({ keepAlive: true });
  #server = createServer((request, response) => void this.#pass(request, response));
  #timer = null;
  /** Called with body and answer of each webhook whose sender was told that it was taken. */
  acknowledged = () => {};
  /** Called with the status of each webhook whose sender was told that it was not. */
  refused = () => {};

  constructor(origins) {
    this.#hubs = origins.map((origin) => ({ origin, port: new URL(origin).port, lives: false, ready: false }));
    this.#server.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
  }

  async listen(port) {
    await Promise.all(this.#hubs.map((hub) => this.#look(hub)));
    this.#timer = setInterval(() => {
      for (const hub of this.#hubs) void this.#look(hub);
    }, LOOK_MS);
    await new Promise((resolve, reject) => {
      this.#server.once('error', reject);
      this.#server.listen(port, '127.0.0.1', resolve);
    });
  }

  close() {
    clearInterval(this.#timer);
    this.#server.close();
    this.#server.closeAllConnections();
    this.#agent.destroy();
  }

  async #look(hub) {
    try {
      const response = await fetch(`${hub.origin}/health/ready`, { signal: AbortSignal.timeout(LOOK_MAX_MS) });
      await response.arrayBuffer();
      Object.assign(hub, { lives: true, ready: response.ok });
    } catch {
      Object.assign(hub, { lives: false, ready: false });
    }
  }

  /** The hubs that may answer, each once, another one first each time. */
  #order(isWebhook) {
    this.#next += 1;
    const turned = this.#hubs.map((_, number) => this.#hubs[(this.#next + number) % this.#hubs.length]);
    const ready = turned.filter((hub) => hub.ready);
    return isWebhook ? [...ready, ...turned.filter((hub) => hub.lives && !hub.ready)] : ready;
  }

  async #pass(request, response) {
    const isWebhook = request.method === 'POST' && request.url.startsWith(WEBHOOK);
    const body = await read(request);
    if (body === null) return void response.destroy();
    // Posted twice, a delivery is one; other writes are not tried again once a hub may have them.
    const mayRepeat = isWebhook || request.method === 'GET' || request.method === 'HEAD';
    for (const hub of this.#order(isWebhook)) {
      const { answer, wasSent } = await this.#ask(hub, request, body);
      if (answer) return this.#give(answer, response, isWebhook ? body : null);
      hub.ready = false;
      if (wasSent && !mayRepeat) return this.#fail(response, 502, isWebhook);
    }
    this.#fail(response, 503, isWebhook);
  }

  #fail(response, status, isWebhook) {
    if (isWebhook) this.refused(status);
    response.writeHead(status, { 'retry-after': '1' }).end();
  }

  #ask(hub, { method, url, headers, socket }, body) {
    return new Promise((resolve) => {
      let wasSent = false;
      const sent = ask({
        host: '127.0.0.1',
        port: hub.port,
        agent: this.#agent,
        method,
        path: url,
        headers: { ...headers, 'x-forwarded-for': socket.remoteAddress },
        timeout: ANSWER_MAX_MS,
      });
      sent.once('response', (answer) => {
        sent.setTimeout(0);
        resolve({ answer });
      });
      sent.once('timeout', () => sent.destroy(new Error('it does not answer')));
      sent.once('finish', () => (wasSent = true));
      sent.on('error', () => resolve({ answer: null, wasSent }));
      sent.end(body);
    });
  }

  #give(answer, response, webhook) {
    const parts = [];
    response.writeHead(answer.statusCode, answer.headers);
    answer.on('data', (part) => {
      if (webhook) parts.push(part);
    });
    // A stream of events ends with its hub, and is opened again by its reader.
    answer.on('error', () => response.destroy());
    answer.pipe(response);
    response.once('finish', () => {
      if (webhook === null || !answer.complete) return;
      if (answer.statusCode === 200) this.acknowledged(webhook, Buffer.concat(parts));
      else this.refused(answer.statusCode);
    });
    response.once('close', () => answer.destroy());
  }

  /** A socket goes to the next hub only until one has taken it. */
  #upgrade(request, socket, head, order = this.#order(false)) {
    const [hub, ...others] = order;
    socket.on('error', () => {});
    if (!hub) return void socket.end('HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nConnection: close\r\n\r\n');
    const inner = connect(Number(hub.port), '127.0.0.1');
    inner.once('connect', () => {
      const lines = [`${request.method} ${request.url} HTTP/1.1`, `X-Forwarded-For: ${socket.remoteAddress}`];
      for (let at = 0; at < request.rawHeaders.length; at += 2)
        lines.push(`${request.rawHeaders[at]}: ${request.rawHeaders[at + 1]}`);
      inner.write(`${lines.join('\r\n')}\r\n\r\n`);
      inner.write(head);
      inner.pipe(socket).pipe(inner);
      inner.on('error', () => socket.destroy());
      inner.on('close', () => socket.destroy());
      socket.on('close', () => inner.destroy());
    });
    inner.once('error', () => {
      if (inner.bytesWritten > 0) return;
      hub.ready = false;
      this.#upgrade(request, socket, head, others);
    });
  }
}

/** The body; null where it is too large or its sender goes. */
async function read(request) {
  const parts = [];
  let bytes = 0;
  try {
    for await (const part of request) {
      bytes += part.length;
      if (bytes > BODY_MAX) return null;
      parts.push(part);
    }
  } catch {
    return null;
  }
  return Buffer.concat(parts);
}
