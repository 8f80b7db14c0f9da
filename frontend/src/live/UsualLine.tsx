import type { Hour } from '../hub/day-traffic.ts';
import { isRunning, runOf } from './dayScale.ts';

const HIGH = 100;

/** The usual day as steps over the bars of today: what is behind them cannot be compared with them. */
export function UsualLine({ hours, most, now, left }: { hours: Hour[]; most: number; now: number; left: string }) {
  const level = (count: number) => ((1 - count / most) * HIGH).toFixed(1);
  const points = hours
    .flatMap(({ usual }, place) => [place, place + 1].map((x) => `${x},${level(usual ?? 0)}`))
    .join(' ');
  const running = hours.findIndex((hour) => isRunning(hour, now));
  const hour = hours[running];
  const y = level(hour === undefined ? 0 : (hour.usual ?? 0) * runOf(hour, now));
  const byNow = { x1: running, x2: running + 1, y1: y, y2: y };
  return (
    <div className="usual" style={{ left }}>
      <svg viewBox={`0 0 ${hours.length} ${HIGH}`} preserveAspectRatio="none" aria-hidden="true">
        <polyline className="around" points={points} />
        <polyline points={points} />
        {hour !== undefined && <line className="around" {...byNow} />}
        {hour !== undefined && <line {...byNow} />}
      </svg>
    </div>
  );
}
