// The page that stands in while the hub cannot be reached. It keeps no data: it only asks whether the hub is back.

const EVERY_MS = 5000;
const WORDS = {
  'pt-BR': { away: (at) => `Ainda sem resposta às ${at}.` },
  en: { away: (at) => `Still no answer at ${at}.` },
};

/** What the dashboard keeps in this browser; a browser may deny even the look. */
function kept(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

const language = kept('umbler-hub-language') ?? (navigator.language.startsWith('pt') ? 'pt-BR' : 'en');
document.documentElement.lang = language;
document.documentElement.dataset.theme = kept('mantine-color-scheme-value') ?? 'auto';

let asking = false;
async function ask() {
  if (asking) return;
  asking = true;
  try {
    // Whatever the hub's own state is, a hub that answers can show it better than this page.
    const answer = await fetch('/health', { cache: 'no-store' });
    if (answer.headers.get('content-type')?.includes('json')) return location.reload();
  } catch {
    // Still away.
  } finally {
    asking = false;
  }
  const at = new Date().toLocaleTimeString(language);
  for (const line of document.querySelectorAll('[role=status]')) line.textContent = WORDS[language].away(at);
}

for (const button of document.querySelectorAll('button')) button.addEventListener('click', ask);
addEventListener('online', ask);
setInterval(ask, EVERY_MS);
