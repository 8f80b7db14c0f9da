import { ActionIcon, Button, Skeleton } from '@mantine/core';
import { useMemo, useRef } from 'react';
import { Link } from 'react-router';

import { pressing } from '../hub/alerts.ts';
import { alerts } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { Below } from '../parts/Below.tsx';
import { Icon } from '../parts/icons.tsx';
import { Failure } from '../parts/Notice.tsx';
import { Spoken } from '../parts/Spoken.tsx';
import { useWords } from '../words/words.ts';
import { AlertList } from './AlertList.tsx';
import { grouped, ordered, tallyOf } from './alertGroups.ts';
import { useLimits } from './limits.ts';
import { forgetHurdle, switchNotifications, useNotifications } from './notifications.ts';
import { switchSound, useSound } from './sound.ts';
import { useRoom } from './useRoom.ts';

/** What the hub raised at the second it was due; it goes when its reason is gone. */
export function AlertPanel() {
  const say = useWords();
  const known = useStore(alerts);
  const { isDefault: off } = useLimits();
  const box = useRef<HTMLDivElement>(null);
  const shown = useMemo(() => (known.alerts === null ? null : ordered(pressing(known.alerts))), [known.alerts]);
  const panel = useRef<HTMLElement>(null);
  const room = useRoom(panel);
  const groups = useMemo(() => shown && grouped(shown, room), [shown, room]);
  const tally = shown !== null && shown.length > 0 ? tallyOf(say, shown) : '';
  return (
    <section
      ref={panel}
      className="card panel alerts"
      data-small={known.missing || shown?.length === 0 || undefined}
      aria-labelledby="alerts-title"
      aria-busy={shown === null && !known.missing && known.failure === null}
    >
      <header>
        <h2 id="alerts-title">{say('alerts')}</h2>
        <span className="quiet tally" title={tally || undefined}>
          {tally}
        </span>
        <Spoken text={tally} />
        <SoundSwitch />
        <NotificationSwitch />
      </header>
      <Hurdle />
      {known.failure !== null && <Failure reason={known.failure} again={() => void alerts.read()} />}
      {known.missing && <p className="blank">{say('missing')}</p>}
      {shown === null && !known.missing && known.failure === null && <Skeleton height={44} className="bone" />}
      {shown?.length === 0 && (
        <p className="blank" title={off ? say('alertsOff') : undefined}>
          {say(off ? 'alertsAreOff' : 'noAlerts')}
          {off && (
            <Button component={Link} to="/settings/rules" size="compact-sm" variant="default">
              {say('alertsOffDo')}
            </Button>
          )}
        </p>
      )}
      {shown !== null && shown.length > 0 && (
        <div className="scroll" ref={box} tabIndex={0} role="group" aria-labelledby="alerts-title">
          <AlertList alerts={shown} groups={groups} />
        </div>
      )}
      {shown !== null && (
        <Below box={box} count={(groups ?? shown).length} rows={groups === null ? undefined : '.alert-groups > li'} />
      )}
    </section>
  );
}

function SoundSwitch() {
  const say = useWords();
  const { on, blocked } = useSound();
  const word = on ? (blocked ? say('soundBlocked') : say('soundOn')) : say('soundOff');
  return (
    <ActionIcon
      className="sound"
      variant={on ? 'light' : 'subtle'}
      color={on && !blocked ? 'blue' : 'gray'}
      onClick={switchSound}
      aria-pressed={on}
      aria-label={say('sound')}
      title={word}
    >
      <Icon name={on ? 'speaker' : 'mute'} />
    </ActionIcon>
  );
}

function NotificationSwitch() {
  const say = useWords();
  const { on } = useNotifications();
  return (
    <ActionIcon
      className="notify"
      variant={on ? 'light' : 'subtle'}
      color={on ? 'blue' : 'gray'}
      onClick={() => void switchNotifications()}
      aria-pressed={on}
      aria-label={say('notifications')}
      title={say(on ? 'notificationsOn' : 'notificationsOff')}
    >
      <Icon name={on ? 'bell' : 'silent'} />
    </ActionIcon>
  );
}

/** Why notifications could not be switched on. */
function Hurdle() {
  const say = useWords();
  const { hurdle } = useNotifications();
  if (hurdle === null) return null;
  return (
    <p className="hurdle" role="alert">
      {say(`notifications_${hurdle}`)}{' '}
      <Button size="compact-xs" variant="default" onClick={forgetHurdle}>
        {say('gotIt')}
      </Button>
    </p>
  );
}
