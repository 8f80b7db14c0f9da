/**
 * A hub in a test's hand: the real client on a socket and a REST row that say only what the test lets them say. Time
 * stands still, on the machine's clock and on the page's, and goes on where the test lets it.
 */

import assert from 'node:assert/strict';
import { mock, type TestContext } from 'node:test';
import hub, {
  UmblerHubClient,
  type Chat,
  type Envelope,
  type Message,
  type Snapshot,
  type Subscribed,
  type Update,
} from 'umbler-hub-client';

export const NOW = Date.parse('2026-03-02T15:00:00Z');
/** How old the page is when a test begins, in milliseconds: it was just opened. */
const PAGE_AGE_MS = 5;
/** Tests of one file share the page; each of them comes so much later. */
const APART_MS = 3_600_000;
/** Longer than a store takes to tell. */
const CALM_MS = 50;

/** A question to a REST row. */
export interface Question {
  path: string;
  query: Record<string, string>;
  answer(body: unknown): Promise<void>;
  refuse(status: number, code: string): Promise<void>;
}

class Socket extends EventTarget {
  readyState = 1;
  sent: Envelope[] = [];

  send(text: string) {
    this.sent.push(JSON.parse(text));
  }

  close() {
    this.readyState = 3;
  }
}

export class FakeHub {
  readonly client: UmblerHubClient;
  readonly sockets: Socket[] = [];
  /** Questions that nobody took up. */
  readonly questions: Question[] = [];
  authRequired = false;
  /** Who signs in. */
  userId = 'u';
  #waiters: ((question: Question) => void)[] = [];
  static #tests = 0;

  /** What stores ask of the page's one connection is asked here. */
  constructor(t: TestContext) {
    mock.timers.enable({ apis: ['setTimeout', 'setInterval', 'Date'], now: NOW });
    const begun = PAGE_AGE_MS + APART_MS * FakeHub.#tests;
    FakeHub.#tests += 1;
    const steady = mock.method(performance, 'now', () => begun + Date.now() - NOW);
    t.after(() => {
      steady.mock.restore();
      mock.timers.reset();
    });
    const sockets = this.sockets;
    const runtime = {
      WebSocket: class extends Socket {
        constructor() {
          super();
          sockets.push(this);
        }
      } as unknown as typeof WebSocket,
      fetch: ((url: URL) => this.#fetch(url)) as typeof fetch,
    };
    this.client = new UmblerHubClient({ url: 'ws://hub/ws', transport: 'websocket' }, runtime);
    void this.client.subscribeToUpdates(['updates']);
    const asked = mock.method(hub, 'get', (path: string, query?: Record<string, string>) =>
      this.client.get(path, query),
    );
    t.after(() => asked.mock.restore());
  }

  /** What the client sent last by this name. */
  sent(event: string): Envelope | undefined {
    return this.#socket.sent.findLast((envelope) => envelope.event === event);
  }

  say(event: string, data: object, more: Partial<Envelope> = {}) {
    this.#socket.dispatchEvent(new MessageEvent('message', { data: JSON.stringify({ event, data, ...more }) }));
  }

  /** Answers what the client asked last by this name. */
  answer(asked: string, event: string, data: object) {
    const question = this.sent(asked);
    assert.ok(question?.id !== undefined, `${asked} was not sent`);
    this.say(event, data, { id: question.id });
  }

  update(seq: number, update: Partial<Update>) {
    this.say(
      'umbler_update',
      { eventId: `e${seq}`, changes: [update.type], chat: null, contact: null, ...update },
      { seq, timestamp: new Date().toISOString() },
    );
  }

  snapshot(snapshot: Partial<Snapshot>) {
    this.answer('request_umbler_data', 'umbler_data', {
      seq: 10,
      epoch: 'epoch',
      scope: 'scope',
      stats: statsOf(0, 10),
      contacts: [],
      chats: [],
      recentMessages: [],
      truncated: [],
      ...snapshot,
    });
  }

  /** Greets, lets in, and answers the first subscription. */
  async open(subscribed: Partial<Subscribed> = {}) {
    if (this.client.status !== 'connecting')
      void this.client.connect(this.authRequired ? 'token' : undefined).catch(() => {});
    this.say('connection_established', {
      sessionId: 's',
      protocol: 1,
      epoch: 'epoch',
      seq: 10,
      heartbeatSeconds: 25,
      authRequired: this.authRequired,
    });
    await settled();
    if (this.authRequired)
      this.answer('authenticate', 'authenticated', {
        success: true,
        user: { id: this.userId, name: null, role: 'admin' },
        expiresAt: null,
      });
    this.subscribed({ reason: 'no_position', ...subscribed });
    await settled();
  }

  /** Answers a subscription; a later one has no `reason`. */
  subscribed(subscribed: Partial<Subscribed> = {}) {
    this.answer('subscribe_updates', 'subscribed', {
      channels: ['updates'],
      seq: 10,
      epoch: 'epoch',
      scope: 'scope',
      recovered: false,
      replayed: 0,
      ...subscribed,
    });
  }

  /** A channel is followed later in the session, as the live page does. */
  followMore() {
    void this.client.subscribeToUpdates([`chat:${this.#socket.sent.length}`]);
    this.subscribed();
  }

  close(code: number) {
    this.#socket.readyState = 3;
    this.#socket.dispatchEvent(Object.assign(new Event('close'), { code, reason: '' }));
  }

  /** The next question to a REST row. */
  asked(): Promise<Question> {
    const question = this.questions.shift();
    return question ? Promise.resolve(question) : new Promise((resolve) => this.#waiters.push(resolve));
  }

  /** Answers every question alike, those too that follow from the answers. */
  async answerAll(body: unknown) {
    for (await settled(); this.questions.length > 0; await settled()) await this.questions.shift()?.answer(body);
  }

  get #socket(): Socket {
    const socket = this.sockets.at(-1);
    assert.ok(socket, 'nothing is connected');
    return socket;
  }

  #fetch(url: URL): Promise<Response> {
    const { promise, resolve } = withResolvers<Response>();
    const question: Question = {
      path: url.pathname,
      query: Object.fromEntries(url.searchParams),
      answer: (body) => {
        resolve(Response.json(body));
        return settled();
      },
      refuse: (status, code) => {
        resolve(Response.json({ error: { code, message: code } }, { status }));
        return settled();
      },
    };
    const waiter = this.#waiters.shift();
    if (waiter) waiter(question);
    else this.questions.push(question);
    return promise;
  }
}

/** All that follows from what was said has happened, but for what waits for time. */
export async function settled() {
  for (let turn = 0; turn < 5; turn += 1) await new Promise((resolve) => setImmediate(resolve));
}

/** Stores have told what they know. */
export function told() {
  mock.timers.tick(CALM_MS);
}

export function statsOf(openChats: number, asOfSeq: number) {
  return {
    totalContacts: 0,
    totalMessages: 0,
    totalChats: openChats,
    openChats,
    waitingChats: 0,
    messagesToday: 0,
    asOfSeq,
  };
}

export function chat(id: string, more: Partial<Chat> = {}): Chat {
  const at = new Date(NOW).toISOString();
  return {
    id,
    contactId: null,
    contactPhone: null,
    contactName: null,
    kind: 'direct',
    channel: null,
    sector: null,
    owner: null,
    members: [],
    tags: [],
    status: 'open',
    open: true,
    waiting: false,
    private: false,
    waitingSince: null,
    createdAt: at,
    closedAt: null,
    lastActivityAt: at,
    lastMessage: null,
    ...more,
  };
}

export function message(id: string, more: Partial<Message> = {}): Message {
  return {
    id,
    chatId: 'a',
    direction: 'in',
    source: 'Contact',
    type: 'Text',
    text: null,
    state: null,
    private: false,
    at: new Date(NOW).toISOString(),
    contactId: null,
    author: null,
    bot: null,
    editedAt: null,
    reactions: [],
    replyTo: null,
    file: null,
    location: null,
    contacts: [],
    deleted: false,
    ...more,
  };
}

function withResolvers<T>() {
  let resolve: (value: T) => void = () => {};
  const promise = new Promise<T>((done) => (resolve = done));
  return { promise, resolve };
}
