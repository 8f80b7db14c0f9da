// @ts-check
/** Language and colours: as the browser says, until somebody chooses otherwise. */

import { byId, say } from './dom.js';
import { speak, spoken, word } from './words.js';

const LANGUAGE = 'umbler-hub:language';
const THEME = 'umbler-hub:theme';

/** @param {() => void} changed everything is to be drawn anew */
export function settings(changed) {
  const [language, theme] = [byId('language'), byId('theme')];
  const dark = matchMedia('(prefers-color-scheme: dark)');

  const isDark = () => (document.documentElement.dataset.theme ?? (dark.matches ? 'dark' : 'light')) === 'dark';
  const label = () => {
    say(language, word('language'));
    language.setAttribute('aria-label', word('languageLabel'));
    language.lang = spoken() === 'pt' ? 'en' : 'pt-BR';
    say(theme, word(isDark() ? 'light' : 'dark'));
  };

  const chosen = recall(THEME);
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
  speak((recall(LANGUAGE) ?? navigator.language).startsWith('pt') ? 'pt' : 'en');
  label();

  language.addEventListener('click', () => {
    speak(spoken() === 'pt' ? 'en' : 'pt');
    keep(LANGUAGE, spoken());
    label();
    changed();
  });
  theme.addEventListener('click', () => {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    keep(THEME, next);
    label();
  });
  dark.addEventListener('change', label);
}

/** @param {string} key */
function recall(key) {
  try {
    return localStorage.getItem(key);
  } catch {
    return null;
  }
}

/** @param {string} key @param {string} value */
function keep(key, value) {
  try {
    localStorage.setItem(key, value);
  } catch {
    // The choice then lasts until the page is left.
  }
}
