import { clockMinute, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import type { Vitals } from './vitals.ts';

const MINUTE_MS = 60_000;
const MINUTES = 60;

/** The deliveries of the last hour by the minute; what was refused stands on top. */
export function ByMinute({ vitals: { webhook, readAt } }: { vitals: Vitals }) {
  const say = useWords();
  const newest = Math.floor(readAt / MINUTE_MS) * MINUTE_MS;
  const known = new Map(webhook.minutes.map((minute) => [Date.parse(minute.at), minute]));
  const since = Date.parse(webhook.minutesSince);
  const minutes = Array.from({ length: MINUTES }, (_, index) => {
    const at = newest - (MINUTES - 1 - index) * MINUTE_MS;
    const { taken = 0, refused = 0 } = known.get(at) ?? {};
    return { at, taken, refused, isCounted: at + MINUTE_MS > since };
  });
  const sum = (of: 'taken' | 'refused') => minutes.reduce((total, minute) => total + minute[of], 0);
  const most = Math.max(...minutes.map(({ taken, refused }) => taken + refused));
  const words = say('byMinuteSums', {
    taken: number(sum('taken')),
    refused: number(sum('refused')),
    most: number(most),
  });
  const isPart = since > (minutes[0]?.at ?? 0);
  const time = (at: number) => clockMinute(new Date(at).toISOString());
  return (
    <section className="card by-minute">
      <h2>{say('byMinute')}</h2>
      <p className="quiet">
        {words}
        {isPart && ` · ${say('byMinuteSince', { time: time(since) })}`}
      </p>
      <div className="minutes" role="img" aria-label={words}>
        {minutes.map(({ at, taken, refused, isCounted }) => (
          <span
            key={at}
            data-uncounted={isCounted ? undefined : ''}
            title={
              isCounted
                ? `${time(at)}: ${say('byMinuteBar', { taken: number(taken), refused: number(refused) })}`
                : undefined
            }
          >
            {taken > 0 && <i style={{ height: `${(taken / most) * 100}%` }} />}
            {refused > 0 && <i data-refused="" style={{ height: `${(refused / most) * 100}%` }} />}
          </span>
        ))}
      </div>
      <p className="ends quiet" aria-hidden="true">
        <span>{time(newest - (MINUTES - 1) * MINUTE_MS)}</span>
        <span>{time(newest)}</span>
      </p>
    </section>
  );
}
