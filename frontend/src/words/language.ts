/** The language of the page, the user's choice or else the browser's, and its words, which come in a file of their own. */

import { forBrowser } from 'umbler-hub-client/storage';

import { Store } from '../hub/store.ts';
import type { Word } from './en.ts';

const KEY = 'umbler-hub-language';

export type Language = 'en' | 'pt-BR';
type Words = Readonly<Record<Word, string>>;

const FILES: Record<Language, () => Promise<Words>> = {
  en: async () => (await import('./en.ts')).EN,
  'pt-BR': async () => (await import('./pt.ts')).PT,
};

/** Both change together, once the words are here. */
export const spoken = new Store<{ language: Language; words: Partial<Words> }>({ language: 'en', words: {} });

/** To be called as the page begins, so that the words come beside its script. */
export function firstWords(): Promise<void> {
  const known = forBrowser.getItem(KEY);
  const language = isLanguage(known) ? known : navigator.language.startsWith('pt') ? 'pt-BR' : 'en';
  spoken.set({ language, words: {} });
  document.documentElement.lang = language;
  return speak(language);
}

/** Where the words cannot be had, the page goes on as it is. */
export async function otherLanguage() {
  const language = locale() === 'pt-BR' ? 'en' : 'pt-BR';
  await speak(language).then(
    () => forBrowser.setItem(KEY, language),
    () => {},
  );
}

async function speak(language: Language) {
  const words = await FILES[language]();
  spoken.set({ language, words });
  document.documentElement.lang = language;
}

export function locale(): Language {
  return spoken.get().language;
}

export function isWord(word: string): word is Word {
  return Object.hasOwn(spoken.get().words, word);
}

/** What the page says for a word; `{{name}}` in it stands for the value of that name. Of one it says `word_one`, if there is that. */
export function sayNow(word: Word, values?: Record<string, string | number>): string {
  const { words } = spoken.get();
  const one = String(values?.count) === '1' ? words[`${word}_one` as Word] : undefined;
  const text = one ?? words[word] ?? word;
  return values === undefined ? text : text.replace(/\{\{(\w+)\}\}/g, (_, name: string) => String(values[name] ?? ''));
}

function isLanguage(name: string | null): name is Language {
  return name !== null && Object.hasOwn(FILES, name);
}
