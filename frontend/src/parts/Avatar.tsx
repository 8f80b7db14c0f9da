import { useState } from 'react';

/** Over https, or from this machine, as the demo's are. */
const SECURE = /^(https:\/\/|http:\/\/(127\.0\.0\.1|localhost|\[::1\])[:/])/i;

/** A picture where there is one that loads, else the first letters of the name. */
export function Avatar({ name, picture = null }: { name: string | null; picture?: string | null }) {
  const [broken, setBroken] = useState<string | null>(null);
  const shown = picture !== null && SECURE.test(picture) && picture !== broken;
  const letters = (name ?? '')
    .split(/\s+/)
    .filter(Boolean)
    .map((word) => [...word][0] ?? '');
  const initials = (letters[0] ?? '?') + (letters.length > 1 ? letters.at(-1) : '');
  return (
    <span className="avatar" aria-hidden="true">
      {shown ? <img src={picture} alt="" loading="lazy" onError={() => setBroken(picture)} /> : initials.toUpperCase()}
    </span>
  );
}
