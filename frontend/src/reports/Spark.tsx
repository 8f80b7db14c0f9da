import { stretches } from '../parts/stretches.ts';
import type { Series } from './series.ts';

const WIDE = 96;
const HIGH = 24;
/** What is drawn around a figure that has no neighbours. */
const DOT = 1.5;

/** How a number ran: a line over the pale band of the stretch before. Its figures are in the charts and tables beside it. */
export function Spark({ series }: { series: Series | undefined }) {
  if (series === undefined) return <span className="spark" />;
  const { now, before } = series;
  const most = Math.max(1, ...[...now, ...before].map((figure) => figure ?? 0));
  const last = Math.max(1, Math.max(now.length, before.length) - 1);
  const x = (place: number) => ((place / last) * (WIDE - 2 * DOT) + DOT).toFixed(1);
  const y = (figure: number) => (HIGH - DOT - (figure / most) * (HIGH - 2 * DOT)).toFixed(1);
  const line = (stretch: [number, number][]) => stretch.map(([place, figure]) => `${x(place)},${y(figure)}`).join(' ');
  return (
    <svg
      className="spark"
      viewBox={`0 0 ${WIDE} ${HIGH}`}
      width={WIDE}
      height={HIGH}
      preserveAspectRatio="none"
      aria-hidden="true"
    >
      {stretches(before).map((stretch) => (
        <polygon
          key={stretch[0]?.[0]}
          points={`${x(stretch[0]?.[0] ?? 0)},${HIGH} ${line(stretch)} ${x(stretch.at(-1)?.[0] ?? 0)},${HIGH}`}
        />
      ))}
      {stretches(now).map((stretch) =>
        stretch.length === 1 ? (
          <polyline key={stretch[0]?.[0]} className="dot" points={`${line(stretch)} ${line(stretch)}`} />
        ) : (
          <polyline key={stretch[0]?.[0]} points={line(stretch)} />
        ),
      )}
    </svg>
  );
}
