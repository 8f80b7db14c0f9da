import { arrivals, umblerLink, useHub } from '../hub/hub.tsx';
import { useNow } from '../hub/clock.ts';
import { useStore } from '../hub/store.ts';
import { age, clockTime, delay } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { useMoment } from './moment.ts';

/** Readings below this are no delay any more: one of the clocks is wrong. */
const CLOCK_MS = -1000;
/** A live connection is heard at least every 25 s; that is no age to speak of. */
const FRESH_MS = 30_000;

/** How far the data can be trusted: the connection, the age, and how long a message takes to get here. */
export function Freshness() {
  const say = useWords();
  const { client, connectionStatus } = useHub();
  const now = useNow();
  const { medianMs, lastMs, count } = useStore(arrivals);
  const { at } = useMoment();
  const held = client.dataAge();
  const old = held !== null && (connectionStatus !== 'connected' || held > FRESH_MS);
  const isDelay = at === null && !old;
  return (
    <section className="freshness" aria-label={say('freshness')}>
      <span className="state" role="status" data-status={connectionStatus}>
        {say(at !== null && connectionStatus === 'connected' ? 'connectedWord' : `status_${connectionStatus}`)}
      </span>
      {at === null && !old && held !== null && <CurrentTo moment={now - held} />}
      <span className="age" data-delay={isDelay || undefined}>
        {at !== null ? (
          say('pastFreshness')
        ) : old ? (
          say('asOf', { age: age(held) })
        ) : medianMs === null ? null : (
          <span title={say('delayHint', { count, last: delay(lastMs ?? 0) })}>
            {medianMs < CLOCK_MS ? say('clockBehind') : say('delay', { age: delay(medianMs) })}
          </span>
        )}
      </span>
    </section>
  );
}

/** The moment to which all is here: by the link to Umbler, where it knows; else by when the hub was heard. */
function CurrentTo({ moment }: { moment: number }) {
  const say = useWords();
  const completeUntil = useStore(umblerLink)?.completeUntil ?? null;
  const until = clockTime(completeUntil === null ? moment : Date.parse(completeUntil));
  return (
    <span className="until" title={completeUntil === null ? undefined : say('completeHint')}>
      <span className="long">{say(completeUntil === null ? 'currentTo' : 'completeTo', { at: until })}</span>
      <span className="short">{until}</span>
    </span>
  );
}
