/** How wide a figure is drawn, so that it can be made to fit its box whatever it says. */

/** Widths in ems of Inter at weight 650 with tabular figures, rounded up: a box must never be too small. */
const NARROW_EM = 0.34;
const DIGIT_EM = 0.67;
const OTHER_EM = 0.8;

/** Ems that a text takes at most. */
export function emsOf(text: string): number {
  let ems = 0;
  for (const sign of text) ems += /[\s:.,·–]/.test(sign) ? NARROW_EM : /\d/.test(sign) ? DIGIT_EM : OTHER_EM;
  return Math.max(ems, DIGIT_EM);
}
