import type { CSSProperties } from 'react';

import type { Hour } from '../hub/day-traffic.ts';
import { stretches } from '../parts/stretches.ts';
import { age, duration, hourName } from '../words/format.ts';
import { useWords } from '../words/words.ts';

const HIGH = 100;

/** The median first response of each hour as a line, on a scale of its own below the bars. The chart's table says the same. */
export function FirstResponses({ hours, style }: { hours: Hour[]; style: CSSProperties }) {
  const say = useWords();
  const most = Math.max(0, ...hours.map(({ firstMs }) => firstMs ?? 0));
  if (most === 0) return null;
  const point = ([place, ms]: [number, number]) => `${place + 0.5},${((1 - ms / most) * HIGH).toFixed(1)}`;
  return (
    <div className="responses" aria-hidden="true">
      <p>{say('firstByHour')}</p>
      <div className="line" style={style}>
        <span>{age(most)}</span>
        <div className="plot">
          <svg viewBox={`0 0 ${hours.length} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
            {stretches(hours.map(({ firstMs }) => firstMs)).map((stretch) => (
              // A line of no length is drawn as a dot.
              <polyline key={stretch[0]?.[0]} points={[...stretch, ...stretch.slice(-1)].map(point).join(' ')} />
            ))}
          </svg>
          {hours.map((hour) => (
            <i
              key={hour.from}
              title={hour.firstMs === null ? undefined : `${hourName(hour.hour)}: ${duration(hour.firstMs)}`}
            />
          ))}
        </div>
      </div>
    </div>
  );
}
