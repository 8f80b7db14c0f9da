/** Stretches without a gap, each as places and figures. A lone figure is a stretch too. */
export function stretches(figures: (number | null)[]): [number, number][][] {
  const found: [number, number][][] = [];
  let open: [number, number][] | null = null;
  for (const [place, figure] of figures.entries()) {
    if (figure === null) open = null;
    else if (open !== null) open.push([place, figure]);
    else {
      open = [[place, figure]];
      found.push(open);
    }
  }
  return found;
}
