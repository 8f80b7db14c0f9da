import { useEffect, useRef, useState } from 'react';

/** Whoever listens cannot look away: what changes all the time is said at most this often. */
const CALM_MS = 15_000;

/** What a screen reader says of something that others see change. */
export function Spoken({ text }: { text: string }) {
  const [said, say] = useState(text);
  const last = useRef(-Infinity);
  useEffect(() => {
    const timer = setTimeout(
      () => {
        last.current = performance.now();
        say(text);
      },
      Math.max(0, last.current + CALM_MS - performance.now()),
    );
    return () => clearTimeout(timer);
  }, [text]);
  return (
    <span className="hidden" role="status">
      {said}
    </span>
  );
}

/**
 * What came of something that the user did, said once it is there; null until then. What changes by itself afterwards is for
 * the eye alone. `act` is another value each time that the user did something.
 */
export function SpokenResult({ text, act }: { text: string | null; act: unknown }) {
  const [said, say] = useState<{ act: unknown; text: string; times: number } | null>(null);
  if (text !== null && (said === null || !Object.is(said.act, act))) say({ act, text, times: (said?.times ?? 0) + 1 });
  return (
    <span className="hidden" role="status">
      {/* Another element each time: the same number again is an answer, too. */}
      <span key={said?.times}>{said?.text}</span>
    </span>
  );
}
