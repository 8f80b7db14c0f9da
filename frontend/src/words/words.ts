/** The language of the page: the user's choice, else the browser's. */

import i18next from 'i18next';
import { useSyncExternalStore } from 'react';
import { forBrowser } from 'umbler-hub-client/storage';

import { useStore } from '../hub/store.ts';
import { EN, type Word } from './en.ts';
import { PT } from './pt.ts';
import { zone } from './zone.ts';

const KEY = 'umbler-hub-language';
const known = forBrowser.getItem(KEY);

await i18next.init({
  lng: known ?? (navigator.language.startsWith('pt') ? 'pt-BR' : 'en'),
  fallbackLng: 'en',
  resources: { en: { translation: EN }, 'pt-BR': { translation: PT } },
  // React escapes what it draws.
  interpolation: { escapeValue: false },
  keySeparator: false,
  nsSeparator: false,
});
document.documentElement.lang = i18next.language;

export type Say = (word: Word, values?: Record<string, string | number>) => string;

/** Whoever says something says times too: drawn again in another language, and in another zone. */
export function useWords(): Say {
  const language = useSyncExternalStore(onLanguage, locale);
  useStore(zone);
  return sayIn(language);
}

function onLanguage(listener: () => void) {
  i18next.on('languageChanged', listener);
  return () => i18next.off('languageChanged', listener);
}

const says = new Map<string, Say>();

/** The same function for as long as the language is. Most words have no values: a page of hundreds finds those again at once. */
function sayIn(language: string): Say {
  const known = says.get(language);
  if (known !== undefined) return known;
  const t = i18next.getFixedT(language);
  const plain = new Map<Word, string>();
  const say: Say = (word, values) => {
    if (values !== undefined) return t(word, values);
    const found = plain.get(word) ?? t(word);
    plain.set(word, found);
    return found;
  };
  says.set(language, say);
  return say;
}

export function otherLanguage() {
  const language = i18next.language === 'pt-BR' ? 'en' : 'pt-BR';
  forBrowser.setItem(KEY, language);
  document.documentElement.lang = language;
  void i18next.changeLanguage(language);
}

export function locale(): string {
  return i18next.language;
}

/** A word of the provider's, such as a type or a state, where it is known; else as it came. */
export function named(say: Say, word: string | null): string {
  if (word === null) return '';
  return word in EN ? say(word as Word) : word;
}
