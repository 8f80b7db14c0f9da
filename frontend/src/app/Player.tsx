import { Button, NativeSelect } from '@mantine/core';
import { useState } from 'react';

import { replays } from '../hub/hub.tsx';
import { SPEEDS, type Playing, type Speed } from '../hub/replays.ts';
import { Icon } from '../parts/icons.tsx';
import { clockTime, fullMoment, number } from '../words/format.ts';
import { useWords } from '../words/words.ts';

/** What happened from the moment on is played: how fast, how far it is, and its end. */
export function Player({ begun, played, stop }: { begun: string; played: Playing | null; stop: (at: number) => void }) {
  const say = useWords();
  const [speed, setSpeed] = useState<Speed>(played?.speed ?? 60);
  function choose(chosen: Speed) {
    setSpeed(chosen);
    replays.setSpeed(chosen);
  }
  const playing = played?.phase === 'playing' || played?.phase === 'reading';
  return (
    <div className="player" role="group" aria-label={say('player')}>
      <NativeSelect
        size="xs"
        aria-label={say('speed')}
        value={String(speed)}
        data={SPEEDS.map((one) => ({ value: String(one), label: `${one}×` }))}
        onChange={(event) => choose(Number(event.currentTarget.value) as Speed)}
      />
      {playing ? (
        <Button
          size="compact-sm"
          variant="default"
          loading={played.phase === 'reading'}
          leftSection={<Icon name="pause" />}
          onClick={() => replays.pause()}
        >
          {say('pause')}
        </Button>
      ) : (
        <Button
          size="compact-sm"
          variant="default"
          disabled={played?.phase === 'ended'}
          leftSection={<Icon name="play" />}
          onClick={() => (played === null ? void replays.begin(begun, speed) : replays.play())}
        >
          {say(played === null ? 'playFromHere' : 'playOn')}
        </Button>
      )}
      {played !== null && (
        <>
          <Button
            size="compact-sm"
            variant="default"
            leftSection={<Icon name="stop" />}
            onClick={() => stop(played.at)}
          >
            {say('stop')}
          </Button>
          <Progress played={played} />
        </>
      )}
    </div>
  );
}

function Progress({ played: { from, at, until, phase, played, failure, isOver } }: { played: Playing }) {
  const say = useWords();
  const share = until === null || until === from ? 0 : (at - from) / (until - from);
  const words = say('playedUntil', {
    until: until === null ? '–' : fullMoment(new Date(until).toISOString()),
    count: number(played),
  });
  return (
    <>
      <progress
        max={1}
        value={share}
        aria-label={say('progress')}
        aria-valuetext={fullMoment(new Date(at).toISOString())}
      />
      <span className="played" title={words}>
        {clockTime(at)} <span className="quiet">{words}</span>
      </span>
      <span role="status">
        {phase === 'ended' && say('playedOut')}
        {isOver && say('notKept')}
      </span>
      {failure !== null && (
        <span role="alert" className="refusal">
          {say('failed', { reason: failure })}
        </span>
      )}
    </>
  );
}
