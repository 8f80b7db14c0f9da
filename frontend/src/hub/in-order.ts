/** The order of texts as the hub compares them: by their characters, whatever the language of the browser. */
export function inOrder(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}
