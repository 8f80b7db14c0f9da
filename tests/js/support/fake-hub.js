/**
 * A hub in a test's hand: it speaks the protocol over real sockets, says only what the test lets it say, and answers by
 * the script that the test gives it.
 */

import { once } from 'node:events';
import { createServer } from 'node:http';
import { WebSocketServer } from 'ws';

export const EPOCH = 'epoch-1';
export const SCOPE = 'scope-1';

/** How long a test waits for something that must come. */
export const PATIENCE_MS = 30_000;

/** A promise that is rejected, with what was waited for, when patience ends. */
export function inTime(what, start) {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`${what} did not come`)), PATIENCE_MS);
    timer.unref();
    start((value) => {
      clearTimeout(timer);
      resolve(value);
    });
  });
}

/** What the fake hub does unless a test says otherwise. */
const SCRIPT = {
  authRequired: false,
  /** `(token) => expiresAt | null`, or throws an error's data. */
  admits: () => null,
  /** `(token) => who it is`. */
  user: () => ({ id: 'ana', name: 'Ana', role: 'admin' }),
  recovers: true,
  stream: true,
  websocket: true,
  /** Sockets open, and nothing comes through. */
  silent: false,
};

export class FakeHub {
  script = { ...SCRIPT };
  epoch = EPOCH;
  scope = SCOPE;
  seq = 10;
  /** The hub's clock, in milliseconds since 1970. */
  now = () => Date.now();
  /** Updates that can be replayed, by seq. */
  journal = [];
  /** Every open or past connection, in order. */
  connections = [];
  #server;
  #sockets;
  #waiters = [];

  static async start() {
    const hub = new FakeHub();
    hub.#server = createServer((request, response) => hub.#stream(request, response));
    hub.#sockets = new WebSocketServer({ noServer: true });
    hub.#server.on('upgrade', (request, socket, head) => {
      if (!hub.script.websocket) return socket.destroy();
      hub.#sockets.handleUpgrade(request, socket, head, (ws) => hub.#welcome(new Peer(hub, ws)));
    });
    hub.#server.listen(0, '127.0.0.1');
    await once(hub.#server, 'listening');
    return hub;
  }

  get url() {
    return `ws://127.0.0.1:${this.#server.address().port}/ws`;
  }

  async stop() {
    for (const peer of this.connections) peer.drop();
    this.#server.close();
    this.#server.closeAllConnections();
  }

  /** The next connection that comes. */
  connection() {
    return inTime('a connection', (resolve) => this.#waiters.push(resolve));
  }

  /** Records an update and sends it to all that subscribed. */
  publish(data = {}) {
    const envelope = this.record(data);
    for (const peer of this.connections) if (peer.subscribed) peer.update(envelope);
    return envelope;
  }

  /** Records an update that nobody is told of. */
  record(data = {}) {
    this.seq += 1;
    const about = { eventId: `event-${this.seq}`, type: 'chat_updated', changes: [], chat: null, contact: null };
    const envelope = {
      event: 'umbler_update',
      seq: this.seq,
      timestamp: this.timestamp(),
      data: { ...about, ...data },
    };
    this.journal.push(envelope);
    return envelope;
  }

  timestamp() {
    return new Date(this.now()).toISOString();
  }

  snapshot(seq = this.seq) {
    const stats = {
      totalContacts: 3,
      totalMessages: seq,
      totalChats: 2,
      openChats: 1,
      waitingChats: 0,
      messagesToday: 1,
      asOfSeq: seq,
    };
    return {
      seq,
      epoch: this.epoch,
      scope: this.scope,
      stats,
      contacts: [],
      chats: [],
      recentMessages: [],
      truncated: [],
    };
  }

  greeting() {
    return {
      sessionId: `session-${this.connections.length}`,
      protocol: 1,
      epoch: this.epoch,
      seq: this.seq,
      heartbeatSeconds: 25,
      authRequired: this.script.authRequired,
    };
  }

  subscribed({ channels = ['updates'], since, epoch, scope }) {
    const about = { channels, seq: this.seq, epoch: this.epoch, scope: this.scope };
    const same = this.script.recovers && epoch === this.epoch && (scope === undefined || scope === this.scope);
    if (since === undefined || !same) return { ...about, recovered: false, replayed: 0, reason: 'no_position' };
    return { ...about, recovered: true, replayed: this.missed(since).length };
  }

  missed(since) {
    return this.journal.filter(({ seq }) => seq > since);
  }

  #welcome(peer) {
    this.connections.push(peer);
    if (!this.script.silent || peer.kind === 'stream') peer.say('connection_established', this.greeting());
    this.#waiters.shift()?.(peer);
  }

  /** `GET /api/umbler/stream`, as the hub describes it. */
  #stream(request, response) {
    const url = new URL(request.url, 'http://hub');
    if (url.pathname !== '/api/umbler/stream' || !this.script.stream) {
      response.writeHead(404).end('{}');
      return;
    }
    const token = (request.headers.authorization ?? '').replace('Bearer ', '');
    let expiresAt = null;
    if (this.script.authRequired) {
      try {
        expiresAt = this.script.admits(token);
      } catch {
        response.writeHead(401).end('{}');
        return;
      }
    }
    response.writeHead(200, { 'content-type': 'text/event-stream' });
    const peer = new StreamPeer(this, response);
    peer.query = Object.fromEntries(url.searchParams);
    peer.headers = request.headers;
    this.#welcome(peer);
    if (this.script.authRequired)
      peer.say('authenticated', { success: true, user: this.script.user(token), expiresAt });
    const { since, epoch, scope, channels } = peer.query;
    const place = since === undefined ? {} : { since: Number(since), epoch, scope };
    const subscribed = this.subscribed({ channels: channels?.split(','), ...place });
    peer.subscribed = true;
    peer.say('subscribed', subscribed);
    if (subscribed.recovered) for (const envelope of this.missed(place.since)) peer.update(envelope);
    else peer.say('umbler_data', this.snapshot());
  }
}

/** One WebSocket, from the hub's side. */
class Peer {
  kind = 'websocket';
  /** Frames of the client, in order. */
  heard = [];
  subscribed = false;
  sent = 0;
  /** Events that the hub leaves unanswered for now. */
  deaf = new Set();
  #waiters = [];

  constructor(hub, socket) {
    this.hub = hub;
    this.socket = socket;
    socket.on('message', (data) => this.#hear(JSON.parse(data)));
    this.closed = new Promise((resolve) => socket.on('close', (code) => resolve(code)));
  }

  say(event, data, id) {
    this.write(JSON.stringify({ event, ...(id === undefined ? {} : { id }), timestamp: this.hub.timestamp(), data }));
  }

  write(text) {
    this.socket.send(text);
  }

  /** Sends an update and counts it. */
  update(envelope) {
    this.sent += 1;
    this.write(JSON.stringify(envelope));
  }

  heartbeat(sent = this.sent) {
    this.say('heartbeat', { seq: this.hub.seq, sent });
  }

  refuse(code, message, id, temporary = false) {
    this.say('error', { code, message, temporary }, id);
  }

  close(code, reason = '') {
    this.socket.close(code, reason);
  }

  /** The network is gone: no close frame. */
  drop() {
    this.socket.terminate();
  }

  /** The next frame of this event, heard already or not. */
  hears(event) {
    const known = this.heard.find((frame) => frame.event === event && !frame.taken);
    if (known) {
      known.taken = true;
      return Promise.resolve(known);
    }
    return inTime(`${event} from the client`, (resolve) => this.#waiters.push({ event, resolve }));
  }

  count(event) {
    return this.heard.filter((frame) => frame.event === event).length;
  }

  #hear(frame) {
    this.heard.push(frame);
    if (!this.deaf.has(frame.event)) this.#answer(frame);
    const index = this.#waiters.findIndex((waiter) => waiter.event === frame.event);
    if (index < 0) return;
    frame.taken = true;
    this.#waiters.splice(index, 1)[0].resolve(frame);
  }

  #answer({ event, id, data = {} }) {
    const { hub } = this;
    if (event === 'ping') this.say('pong', {}, id);
    if (event === 'set_presence') this.say('presence_set', data, id);
    if (event === 'authenticate') {
      try {
        const expiresAt = hub.script.admits(data.token);
        this.say('authenticated', { success: true, user: hub.script.user(data.token), expiresAt }, id);
      } catch (error) {
        this.refuse(error.code ?? 'unauthorized', error.message, id);
      }
    }
    if (event === 'subscribe_updates') {
      this.subscribed = true;
      const subscribed = hub.subscribed(data);
      this.say('subscribed', subscribed, id);
      if (subscribed.recovered) for (const envelope of hub.missed(data.since)) this.update(envelope);
    }
    if (event === 'unsubscribe_updates') this.say('unsubscribed', { channels: data.channels ?? [] }, id);
    if (event === 'request_umbler_data') this.say('umbler_data', hub.snapshot(), id);
  }
}

/** One event stream, from the hub's side. */
class StreamPeer {
  kind = 'stream';
  subscribed = false;
  sent = 0;

  constructor(hub, response) {
    this.hub = hub;
    this.response = response;
    this.closed = new Promise((resolve) => response.on('close', resolve));
  }

  say(event, data) {
    this.write(JSON.stringify({ event, timestamp: this.hub.timestamp(), data }));
  }

  write(text) {
    this.response.write(`data: ${text}\n\n`);
  }

  update(envelope) {
    this.sent += 1;
    this.response.write(`id: ${this.hub.epoch}:${envelope.seq}\ndata: ${JSON.stringify(envelope)}\n\n`);
  }

  heartbeat(sent = this.sent) {
    this.say('heartbeat', { seq: this.hub.seq, sent });
  }

  close() {
    this.response.end();
  }

  drop() {
    this.response.destroy();
  }
}
