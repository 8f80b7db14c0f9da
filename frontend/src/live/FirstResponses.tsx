import type { CSSProperties } from 'react';

import type { Hour } from '../hub/day-traffic.ts';
import { age, duration } from '../words/format.ts';
import { useWords } from '../words/words.ts';

const HIGH = 100;

/** The median first response of each hour as a line, on a scale of its own below the bars. The chart's table says the same. */
export function FirstResponses({ hours, style }: { hours: Hour[]; style: CSSProperties }) {
  const say = useWords();
  const most = Math.max(0, ...hours.map(({ firstMs }) => firstMs ?? 0));
  if (most === 0) return null;
  const place = (hour: Hour, index: number) =>
    hour.firstMs === null ? null : `${index + 0.5},${((1 - hour.firstMs / most) * HIGH).toFixed(1)}`;
  return (
    <div className="responses" aria-hidden="true">
      <p>{say('firstByHour')}</p>
      <div className="line" style={style}>
        <span>{age(most)}</span>
        <div className="plot">
          <svg viewBox={`0 0 ${hours.length} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
            {stretches(hours.map(place)).map((points) => (
              // A line of no length is drawn as a dot.
              <polyline key={points[0]} points={[...points, points.at(-1)].join(' ')} />
            ))}
          </svg>
          {hours.map((hour) => (
            <i key={hour.from} title={hour.firstMs === null ? undefined : `${hour.hour}h: ${duration(hour.firstMs)}`} />
          ))}
        </div>
      </div>
    </div>
  );
}

/** The points that follow each other without a gap. */
function stretches(points: (string | null)[]): string[][] {
  const found: string[][] = [[]];
  for (const point of points) {
    if (point === null) found.push([]);
    else found.at(-1)?.push(point);
  }
  return found.filter((points) => points.length > 0);
}
