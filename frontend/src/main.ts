/**
 * Where the page begins: it asks the hub for what is live, and draws once its parts are here. This file comes first and is
 * small, so that the connection is opened while the large rest is still on its way.
 */

import '@fontsource-variable/inter/wght.css';
import './app/mantine.css';
import './app/tokens.css';
import './app/base.css';
import './app/numbers.css';
import './app/shell.css';
import './app/views.css';
import './live/live.css';
import './live/alerts.css';
import './live/charts.css';
import './live/wall.css';
import './chats/list.css';
import './chats/conversation.css';
import { install } from './app/installed.ts';
import { firstAnswers, loadPage, sentPageAt } from './app/pageFiles.ts';
import { connect } from './hub/hub.tsx';
import { makeFormats } from './words/format.ts';
import { firstWords } from './words/language.ts';

/** A window that nobody sees is not painted. */
const PAINTED_MAX_MS = 200;
/**
 * Live and Chats are drawn once with all that is live, and Reports with its first answers: that takes half as long as drawn without,
 * and soon again. A slow hub is not waited for.
 */
const DATA_MAX_MS = 300;

install();
const data = connect(isOfNow(location));
const words = firstWords();
void begin();

async function begin() {
  // What stands in `index.html` is seen before the browser has its hands full with the script.
  await Promise.race([painted(), after(PAINTED_MAX_MS)]);
  // Asked for beside the script instead of by it; what goes wrong is told where the page is drawn.
  const name = sentPageAt(location.pathname);
  const page = name && loadPage(name).catch(() => {});
  const drawing = import('./app/draw.tsx');
  makeFormats();
  const [{ draw }] = await Promise.all([drawing, words, page]);
  const first = name === null || name === 'chats' ? data : firstAnswers(name);
  await Promise.race([first, after(DATA_MAX_MS)]);
  draw();
}

/** Live shows the boards, unless it shows the past. */
function isOfNow({ pathname, search }: Location): boolean {
  return /^\/live\/?$/.test(pathname) && !new URLSearchParams(search).has('at');
}

async function painted() {
  if (document.visibilityState === 'hidden') return;
  await new Promise(requestAnimationFrame);
  await after(0);
}

function after(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
