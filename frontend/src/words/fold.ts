/** Texts to be searched in, by the one rule that the hub searches by, too (`fold` in `src/journal/fold.rs`). */

/** Characters that show nothing and only steer how others are shown. */
const INVISIBLE = /[\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]/u;

/** Lower case, without accents, and in plain letters: `2ª Via` is `2a via`, and so is the same in letters that only look special. */
export function fold(text: string): string {
  const plain = [...text.normalize('NFKD')].filter((letter) => !/\p{M}/u.test(letter) && !INVISIBLE.test(letter));
  // Letter by letter, as the hub does it: the language of the browser does not matter. The sign of degrees stands for º in "n° 15".
  return plain.map((letter) => (letter === '°' ? 'o' : letter.toLowerCase())).join('');
}

/** True where a search box's text occurs in another, whatever case, accents and letter forms. */
export function holds(text: string, search: string): boolean {
  return fold(text).includes(fold(search.trim()));
}
