/** The service worker, which makes the page installable, and pages whose build is gone. */

const WORKER = '/sw.js';
const KEY = 'umbler-hub-loaded-anew';

/** Registers the worker where the browser allows one: over HTTPS, and on the computer itself. */
export function install() {
  if (!import.meta.env.PROD) return;
  // Without a worker the page works as ever; only the notice that the hub is away is the browser's own.
  navigator.serviceWorker?.register(WORKER, { updateViaCache: 'none' }).catch(() => {});
  loadAnewAfterUpgrade();
}

/** A page that was opened before the hub was upgraded asks for files that are gone: the new build has what it wants. */
function loadAnewAfterUpgrade() {
  addEventListener('vite:preloadError', (event) => {
    // Once for each address: if the new build lacks the file too, the page says so.
    if (history.state?.[KEY]) return;
    event.preventDefault();
    history.replaceState({ ...history.state, [KEY]: true }, '');
    location.reload();
  });
}
