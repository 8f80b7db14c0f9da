// @ts-check
/** Language and colours: as the browser says, until somebody chooses otherwise. */

import { forBrowser } from '../client/storage.js';
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

  const chosen = forBrowser.getItem(THEME);
  if (chosen === 'dark' || chosen === 'light') document.documentElement.dataset.theme = chosen;
  speak((forBrowser.getItem(LANGUAGE) ?? navigator.language).startsWith('pt') ? 'pt' : 'en');
  label();

  language.addEventListener('click', () => {
    speak(spoken() === 'pt' ? 'en' : 'pt');
    forBrowser.setItem(LANGUAGE, spoken());
    label();
    changed();
  });
  theme.addEventListener('click', () => {
    const next = isDark() ? 'light' : 'dark';
    document.documentElement.dataset.theme = next;
    forBrowser.setItem(THEME, next);
    label();
  });
  dark.addEventListener('change', label);
}
