/** What components say, in the language of the page. */

import { useStore } from '../hub/store.ts';
import type { Word } from './en.ts';
import { isWord, type Language, sayNow, spoken } from './language.ts';
import { zone } from './zone.ts';

export { locale, otherLanguage } from './language.ts';

export type Say = (word: Word, values?: Record<string, string | number>) => string;

/** Whoever says something says times too: drawn again in another language, and in another zone. */
export function useWords(): Say {
  const { language } = useStore(spoken);
  useStore(zone);
  return SAYS[language];
}

/** Another function for each language, so that what is made with one is made anew with the other. */
const SAYS: Record<Language, Say> = {
  en: (word, values) => sayNow(word, values),
  'pt-BR': (word, values) => sayNow(word, values),
};

/** A word of the provider's, such as a type or a state, where it is known; else as it came. */
export function named(say: Say, word: string | null): string {
  if (word === null) return '';
  return isWord(word) ? say(word) : word;
}
