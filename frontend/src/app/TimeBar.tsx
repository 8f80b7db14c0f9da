import { Button, TextInput } from '@mantine/core';
import { useEffect, useRef, useState, type KeyboardEvent } from 'react';

import { hubTime } from '../hub/clock.ts';
import { localOf, momentOf } from '../hub/days.ts';
import { replays } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { Icon } from '../parts/icons.tsx';
import { fullMoment } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { zone } from '../words/zone.ts';
import { addressed, useMoment } from './moment.ts';
import { usePlayed } from './played.ts';
import { Player } from './Player.tsx';

const MINUTE_MS = 60_000;
const STEPS = [
  ['day', 1440],
  ['hour', 60],
  ['minutes5', 5],
] as const;
/** Arrows go by five minutes, up and down by an hour, the page keys by a day. */
const KEYS: Record<string, number> = {
  ArrowLeft: -5,
  ArrowRight: 5,
  ArrowUp: -60,
  ArrowDown: 60,
  PageUp: -1440,
  PageDown: 1440,
};
/** How long typing rests before the hub is asked. */
const TYPING_MS = 500;

/** That this is the past, of when, and the ways to another moment and back. It stays in sight on every page of the past. */
export default function TimeBar() {
  const say = useWords();
  const { at, iso, wrong, go } = useMoment();
  const played = usePlayed();
  // Another moment, another page, or now: what was played is over.
  // biome-ignore lint/correctness/useExhaustiveDependencies: runs as the moment changes
  useEffect(() => () => replays.stop(), [iso]);
  const box = useRef<HTMLElement>(null);
  const isOpen = at !== null;
  useEffect(() => {
    if (isOpen) box.current?.focus({ preventScroll: true });
  }, [isOpen]);
  if (wrong)
    return (
      <p className="time-bar" role="alert">
        <span>{say('wrongMoment')}</span>
        <Button size="compact-sm" variant="default" onClick={() => go(null)}>
          {say('backToNow')}
        </Button>
      </p>
    );
  if (at === null || iso === undefined) return null;
  const shown = played?.at ?? at;
  // Keys come faster than the page follows: the address knows how far they are.
  const step = (minutes: number) =>
    go((played === null ? addressed() : Math.round(played.at / 1000) * 1000) + minutes * MINUTE_MS);
  function keys(event: KeyboardEvent) {
    const minutes = KEYS[event.key];
    const typing = event.target instanceof HTMLElement && event.target.matches('input, select');
    if (minutes === undefined || typing || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    step(minutes);
  }
  return (
    <section className="time-bar" ref={box} tabIndex={-1} aria-label={say('timeMachine')} onKeyDown={keys}>
      <strong className="past-word">
        <Icon name="past" />
        {say('pastWord')}
      </strong>
      <span className="when">{fullMoment(new Date(shown).toISOString())}</span>
      {played === null && <Field at={at} go={go} />}
      <div className="steps-of-time" role="group" aria-label={say('stepKeys')} title={say('stepKeys')}>
        {STEPS.map(([name, minutes]) => (
          <Button
            key={name}
            size="compact-sm"
            variant="default"
            onClick={() => step(-minutes)}
            aria-label={`−${say(`step_${name}`)}: ${say(`back_${name}`)}`}
            title={say(`back_${name}`)}
          >
            −{say(`step_${name}`)}
          </Button>
        ))}
        {STEPS.toReversed().map(([name, minutes]) => (
          <Button
            key={name}
            size="compact-sm"
            variant="default"
            onClick={() => step(minutes)}
            aria-label={`+${say(`step_${name}`)}: ${say(`on_${name}`)}`}
            title={say(`on_${name}`)}
          >
            +{say(`step_${name}`)}
          </Button>
        ))}
      </div>
      <Player
        begun={iso}
        played={played}
        stop={(reached) => {
          const second = Math.round(reached / 1000) * 1000;
          // What was played is past, even where this page takes the hub's clock to be a little slow.
          if (second === at) replays.stop();
          else go(Math.min(second, hubTime() - 1));
        }}
      />
      <Button className="to-now" size="compact-sm" onClick={() => go(null)}>
        {say('backToNow')}
      </Button>
      <p className="quiet">{say('pastHint')}</p>
    </section>
  );
}

/** Date and time, as the clocks of the team's zone show them. */
function Field({ at, go }: { at: number; go: (at: number | null) => void }) {
  const say = useWords();
  const timeZone = useStore(zone);
  const shown = fieldOf(at, timeZone);
  const [typed, setTyped] = useState(shown);
  useEffect(() => setTyped(shown), [shown]);
  useEffect(() => {
    const wanted = momentOf(typed, timeZone);
    if (typed === shown || Number.isNaN(wanted)) return;
    const timer = setTimeout(() => (wanted < hubTime() ? go(wanted) : setTyped(shown)), TYPING_MS);
    return () => clearTimeout(timer);
  }, [typed, shown, timeZone, go]);
  return (
    <TextInput
      className="moment"
      size="xs"
      type="datetime-local"
      step={at % MINUTE_MS === 0 ? 60 : 1}
      aria-label={say('momentLabel')}
      value={typed}
      max={fieldOf(hubTime(), timeZone)}
      onChange={(event) => setTyped(event.currentTarget.value)}
    />
  );
}

/** As the field wants it: `2026-03-02T13:00`. */
function fieldOf(at: number, timeZone: string | undefined): string {
  return localOf(at, timeZone).slice(0, at % MINUTE_MS === 0 ? 16 : 19);
}
