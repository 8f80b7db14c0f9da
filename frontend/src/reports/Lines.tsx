import { stretches } from '../parts/stretches.ts';

/** With more points than that a line alone is easier to read. */
export const POINTS_MAX = 62;
/** The chart in units of its own; it is stretched to whatever place there is. */
const SIZE = 100;

interface LinesProps {
  now: (number | null)[];
  /** Empty: it is not compared. */
  before: (number | null)[];
  most: number;
  count: number;
}

/** A line over the pale band of the stretch before. Where nothing was measured there is a gap. */
export function Lines({ now, before, most, count }: LinesProps) {
  const x = (index: number) => (((index + 0.5) / count) * SIZE).toFixed(2);
  const y = (figure: number) => (SIZE - place(figure, most)).toFixed(2);
  const line = (stretch: [number, number][]) => stretch.map(([index, figure]) => `${x(index)},${y(figure)}`).join(' ');
  return (
    <li className="lines" aria-hidden="true">
      <svg viewBox={`0 0 ${SIZE} ${SIZE}`} preserveAspectRatio="none" aria-hidden="true">
        {stretches(before).map((stretch) => {
          const [first, last] = [stretch[0]?.[0] ?? 0, stretch.at(-1)?.[0] ?? 0];
          // One alone is as wide as its place.
          const ends: [number, number] = first === last ? [first - 0.5, last + 0.5] : [first, last];
          const top = first === last ? ends.map((end): [number, number] => [end, stretch[0]?.[1] ?? 0]) : stretch;
          return <polygon key={first} points={`${x(ends[0])},${SIZE} ${line(top)} ${x(ends[1])},${SIZE}`} />;
        })}
        {stretches(now).map((stretch) => (
          <polyline key={stretch[0]?.[0]} points={line(stretch)} />
        ))}
      </svg>
    </li>
  );
}

/** How high a figure stands, in percent. */
export function place(figure: number, most: number): number {
  return (figure / most) * SIZE;
}
