// @ts-check
/** The console: what the hub knows, live. Everything that it shows comes through the client that the hub serves. */

import hub from '../client/index.js';
import { chats } from './chats.js';
import { eachFrame } from './dom.js';
import { setZone } from './format.js';
import { messages } from './messages.js';
import { settings } from './settings.js';
import { keptToken, signIn } from './sign-in.js';
import { drawState, drawStats } from './state.js';
import { updates } from './updates.js';

const chat = messages();
const drawChats = chats(chat.choose);
const drawUpdates = updates();
const drawSignIn = signIn();

function drawAll() {
  drawState();
  drawStats();
  drawSignIn();
  drawChats();
  chat.draw();
  drawUpdates();
}

async function learnZone() {
  try {
    const { settings: known } = await hub.get('/api/umbler/settings');
    setZone(known.timeZone);
    drawAll();
  } catch {
    // Times stay those of the browser's zone: an older hub does not tell its own.
  }
}

settings(drawAll);
drawAll();

hub.on('status', drawAll);
hub.on('error', drawState);
hub.on('subscribed', learnZone);
hub.on(
  'data',
  eachFrame(() => {
    drawStats();
    drawChats();
  }),
);
setInterval(() => {
  drawState();
  drawChats();
}, 1000);

hub.subscribeToUpdates();
hub.connect(keptToken()).catch(() => {});
hub.requestUmblerData();
