// The service worker of the dashboard. It keeps one page: the one that says that the hub cannot be reached. Everything
// else comes from the hub each time, so no screen ever shows an older build, or an older number, than the hub has.
//
// It also shows the notifications of alerts, because browsers on phones allow them to nobody else.

/** Changes with the files of this folder: a browser installs a worker anew when its text changes. */
const VERSION = '%VERSION%';
const CACHE = `offline-${VERSION}`;
const PAGE = '/offline.html';
const FILES = [PAGE, '/offline.css', '/offline.js', '/icons/icon.svg', '%FACE%'];
/** What a proxy answers in place of a hub that is away. */
const AWAY = [502, 503, 504];
/** Pages of the hub that are none of the dashboard. */
const OTHERS = /^\/(api|client|console|health|metrics)(\/|$)/;

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then((cache) => cache.addAll(FILES.map((path) => new Request(path, { cache: 'reload' }))))
      .then(() => self.skipWaiting()),
  );
});

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  );
});

self.addEventListener('fetch', (event) => {
  const { request } = event;
  const { origin, pathname } = new URL(request.url);
  if (origin !== location.origin) return;
  if (request.mode === 'navigate') {
    if (!OTHERS.test(pathname)) event.respondWith(opened(request));
    return;
  }
  // What the page of the hub's absence is made of. No other file is ever answered from here.
  if (FILES.includes(pathname)) event.respondWith(fetch(request).catch(() => stored(pathname)));
});

async function opened(request) {
  const answer = await fetch(request).catch(() => null);
  return answer === null || AWAY.includes(answer.status) ? stored(PAGE) : answer;
}

async function stored(path) {
  const cache = await caches.open(CACHE);
  return (await cache.match(path)) ?? Response.error();
}

/** A click on an alert opens its chat in a tab that is there already, else in a new one. */
self.addEventListener('notificationclick', (event) => {
  event.notification.close();
  event.waitUntil(openPath(event.notification.data.path));
});

async function openPath(path) {
  const tabs = await self.clients.matchAll({ type: 'window' });
  const tab =
    tabs.find(({ focused }) => focused) ?? tabs.find(({ visibilityState }) => visibilityState === 'visible') ?? tabs[0];
  if (tab === undefined) return self.clients.openWindow(path);
  tab.postMessage({ open: path });
  // A browser lets a worker do this only just after a click.
  await tab.focus().catch(() => {});
}
