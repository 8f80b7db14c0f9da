// @ts-check
/** Reads `text/event-stream` as it comes, in pieces of any size. */

/** A line that goes on for longer is no line of the hub. */
export const LINE_CHARS_MAX = 16 * 1024 * 1024;

export class EventStreamParser {
  #rest = '';
  /** @type {string[]} */
  #data = [];
  #heard;

  /** @param {(data: string) => void} heard gets the data of each event */
  constructor(heard) {
    this.#heard = heard;
  }

  /** @param {string} text */
  push(text) {
    this.#rest += text;
    // The last piece may be half a line; a CR at its end may be half a line's end.
    const lines = this.#rest.split(/\r\n|\n|\r(?!$)/);
    this.#rest = lines.pop() ?? '';
    if (this.#rest.length > LINE_CHARS_MAX) throw new Error('a line of the event stream is too long');
    for (const line of lines) this.#take(line);
  }

  /** @param {string} line */
  #take(line) {
    if (line === '') {
      if (this.#data.length > 0) this.#heard(this.#data.join('\n'));
      this.#data = [];
    } else if (line.startsWith('data:')) {
      this.#data.push(line.slice(line[5] === ' ' ? 6 : 5));
    }
    // `id:`, `event:`, `retry:` and comments say nothing that the envelopes do not say.
  }
}
