import { ActionIcon, Button, Skeleton } from '@mantine/core';
import { useMemo, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { Alert, AlertKind } from 'umbler-hub-client';

import { PATH, pressing } from '../hub/alerts.ts';
import { useNow } from '../hub/clock.ts';
import { reasonOf } from '../hub/errors.ts';
import { alerts, hub, openChats, settings } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { Below } from '../parts/Below.tsx';
import { Icon } from '../parts/icons.tsx';
import { Failure } from '../parts/Notice.tsx';
import { agentName, clock, moment, number } from '../words/format.ts';
import { contactTitle, userName } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { forgetHurdle, switchNotifications, useNotifications } from './notifications.ts';
import { useSectorName } from './sectors.ts';
import { switchSound, useSound } from './sound.ts';

/** Beyond this many nobody reads them one by one. */
const SHOWN_MAX = 60;
export const URGENT: Record<AlertKind, boolean> = {
  waiting: true,
  first_response_missed: true,
  window_closing: true,
  waiting_warn: false,
  first_response_near: false,
  idle: false,
};

/** So long an alert is new: it is filled, and on the wall it has a line of its own. */
const NEW_MS = 60_000;

export function isNewAlert(raisedAt: string, now: number): boolean {
  return now - Date.parse(raisedAt) < NEW_MS;
}

/** What the hub raised at the second it was due; it goes when its reason is gone. */
export function AlertPanel() {
  const say = useWords();
  const known = useStore(alerts);
  const rules = useStore(settings);
  const box = useRef<HTMLUListElement>(null);
  const off = rules.settings !== null && rules.updatedAt === null;
  const shown = useMemo(() => (known.alerts === null ? null : ordered(pressing(known.alerts))), [known.alerts]);
  const open = shown?.filter(({ acknowledgedAt }) => acknowledgedAt === null).length ?? 0;
  return (
    <section
      className="card panel alerts"
      data-small={known.missing || shown?.length === 0 || undefined}
      aria-labelledby="alerts-title"
      aria-busy={shown === null && !known.missing && known.failure === null}
    >
      <header>
        <h2 id="alerts-title">{say('alerts')}</h2>
        <span className="quiet tally" role="status">
          {shown !== null && shown.length > 0 && say('alertCount', { count: number(shown.length), open: number(open) })}
        </span>
        <SoundSwitch />
        <NotificationSwitch />
      </header>
      <Hurdle />
      {known.failure !== null && <Failure reason={known.failure} again={() => void alerts.read()} />}
      {known.missing && <p className="blank">{say('missing')}</p>}
      {shown === null && !known.missing && known.failure === null && <Skeleton height={44} className="bone" />}
      {shown?.length === 0 && (
        <p className="blank">
          {off ? (
            <>
              {say('alertsOff')} <Link to="/settings/rules">{say('alertsOffDo')}</Link>
            </>
          ) : (
            say('noAlerts')
          )}
        </p>
      )}
      {shown !== null && shown.length > 0 && (
        <ul className="scroll" ref={box} tabIndex={0} aria-labelledby="alerts-title">
          {shown.slice(0, SHOWN_MAX).map((alert) => (
            <Row key={alert.id} alert={alert} />
          ))}
          {shown.length > SHOWN_MAX && (
            <li className="quiet">{say('andMore', { count: number(shown.length - SHOWN_MAX) })}</li>
          )}
        </ul>
      )}
      {shown !== null && <Below box={box} count={shown.length} />}
    </section>
  );
}

/** Those that nobody has taken on come first, of these the urgent ones, and of these those that are due the longest. */
function ordered(all: Alert[]): Alert[] {
  const rank = ({ kind, acknowledgedAt }: Alert) => (acknowledgedAt === null ? 0 : 2) + (URGENT[kind] ? 0 : 1);
  return all.toSorted((a, b) => rank(a) - rank(b) || Date.parse(a.dueAt) - Date.parse(b.dueAt));
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

function Row({ alert }: { alert: Alert }) {
  const say = useWords();
  const mayTake = useRole() !== 'viewer';
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const { id, kind, chatId, contactName, sector, owner, since, dueAt, raisedAt, acknowledgedAt, acknowledgedBy } =
    alert;
  const sectorName = useSectorName();
  const now = useNow();
  // Whom to ask stands first: a narrow panel cuts the end.
  const about = [agentName(say, owner), say(`alert_${kind}`), sectorName(sector)].join(' · ');
  const who = contactTitle(say, { contactName, contactPhone: openChats.find(chatId)?.contactPhone });
  async function acknowledge() {
    setBusy(true);
    setFailure(null);
    try {
      alerts.take((await hub.send('POST', `${PATH}/${encodeURIComponent(id)}/acknowledge`)).alert);
    } catch (error) {
      setFailure(reasonOf(error));
    }
    setBusy(false);
  }
  return (
    <li
      className="alert"
      data-kind={kind}
      data-urgency={URGENT[kind] ? 'late' : 'attention'}
      data-taken={acknowledgedAt !== null || undefined}
      data-new={(acknowledgedAt === null && isNewAlert(raisedAt, now)) || undefined}
    >
      <Link className="main" to={`/chats/${encodeURIComponent(chatId)}`} title={`${who} · ${about}`}>
        <span className="name">{who}</span>
        <span className="quiet">{about}</span>
      </Link>
      <span className="wait">
        <time>{clock(now - Date.parse(since))}</time>
        <span title={dueAt}>{say(URGENT[kind] ? 'dueAt' : 'warnedAt', { at: moment(dueAt) })}</span>
      </span>
      {acknowledgedAt !== null ? (
        <span className="taken quiet">{say('taken', { name: userName(say, acknowledgedBy) })}</span>
      ) : (
        mayTake && (
          <Button
            size="compact-sm"
            variant="default"
            loading={busy}
            onClick={() => void acknowledge()}
            aria-label={`${say('take')}: ${say(`alert_${kind}`)}, ${who}`}
          >
            {say('take')}
          </Button>
        )
      )}
      {failure !== null && (
        <span role="alert" className="refusal small">
          {failure}
        </span>
      )}
    </li>
  );
}
