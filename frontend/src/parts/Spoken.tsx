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
