/** Tables for spreadsheets, written as the hub writes its own (`src/http/api/spreadsheet.rs`). */

/** A character that begins a formula, where a cell could begin: by whichever separator a program splits the file. */
const FORMULA =
  /(^|[;,\t|\n\r\v\f])([\s"'\u00ad\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff]*)([=+\-@\uff1d\uff0b\uff0d\uff20])/gu;

/** What spreadsheets of a language of the dashboard separate columns by; the hub's word for it. */
export function separator(language: string): 'comma' | 'semicolon' {
  return language.startsWith('pt') ? 'semicolon' : 'comma';
}

/** A text with an apostrophe before each character that could begin a formula. The hub takes it off again when a table is imported. */
export function guarded(text: string): string {
  return text.replace(FORMULA, "$1$2'$3");
}

/** Rows of cells. Spreadsheets take a file for UTF-8 by its mark. */
export function csvOf(rows: string[][], separated: 'comma' | 'semicolon'): Blob {
  const lines = rows.map((cells) => cells.map(quoted).join(separated === 'semicolon' ? ';' : ','));
  return new Blob([`\ufeff${lines.join('\r\n')}\r\n`], { type: 'text/csv' });
}

function quoted(text: string): string {
  const cell = guarded(text);
  return /[",;\r\n\t]/.test(cell) ? `"${cell.replaceAll('"', '""')}"` : cell;
}
