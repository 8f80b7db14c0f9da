import { useMoment } from '../app/moment.ts';
import { useNow } from '../hub/clock.ts';
import { age, moment, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import type { TrendOf } from './Tiles.tsx';
import type { Sample } from './trends.ts';

const WIDE = 60;
const HIGH = 18;

/** A line of what the number was, and how far it moved since then. */
export function Trend({ samples, of, now }: { samples: Sample[]; of: TrendOf; now: number | undefined }) {
  const say = useWords();
  const time = useNow();
  const isPast = useMoment().at !== null;
  const known = samples.filter((sample) => sample[of] !== undefined);
  const first = known[0];
  if (first === undefined || known.length < 2 || now === undefined) return null;
  const values = [...known.map((sample) => sample[of] ?? 0), now];
  const [low, high] = [Math.min(...values), Math.max(...values)];
  const y = (value: number) => HIGH - 1 - ((value - low) / Math.max(1, high - low)) * (HIGH - 2);
  const until = Math.max(time, known.at(-1)?.at ?? 0, first.at + 1);
  const x = (at: number) => ((at - first.at) / (until - first.at)) * WIDE;
  const line = [...known.map((sample) => sample.at), until]
    .map((at, index) => `${x(at).toFixed(1)},${y(values[index] ?? 0).toFixed(1)}`)
    .join(' ');
  const moved = now - (first[of] ?? 0);
  const change = signed(moved);
  // Of who waits for a reply the hub keeps no history: its line began with this screen.
  const short =
    of === 'unanswered'
      ? say('trendIn', { change, age: age(time - first.at) })
      : say(isPast ? 'trendThatDay' : 'trendToday', { change });
  const words = say('trend', { change, at: moment(new Date(first.at).toISOString()) });
  return (
    <dd className="trend" title={words}>
      <svg viewBox={`0 0 ${WIDE} ${HIGH}`} width={WIDE} height={HIGH} aria-hidden="true">
        <polyline points={line} fill="none" stroke="currentColor" strokeWidth="1.5" />
      </svg>
      <span aria-hidden="true">{moved === 0 ? '=' : short}</span>
      <span className="hidden">{words}</span>
    </dd>
  );
}

function signed(moved: number): string {
  return `${moved > 0 ? '+' : ''}${number(moved)}`;
}
