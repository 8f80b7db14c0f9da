import { Button } from '@mantine/core';
import { useLayoutEffect, useRef, useState } from 'react';
import { Link } from 'react-router';
import type { Alert } from 'umbler-hub-client';

import { PATH } from '../hub/alerts.ts';
import { useNow } from '../hub/clock.ts';
import { reasonOf } from '../hub/errors.ts';
import { alerts, hub, openChats } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { agentName, agentTitle, clock, moment } from '../words/format.ts';
import { contactTitle, userName } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { isNewAlert, URGENT } from './alertGroups.ts';
import { useSectorName } from './labels.ts';

/** As high as a name. */
const BLANK = '\u00a0';

/** One alert: whose chat it is, since when, and who is on it. One that `isGone` keeps its place, empty. */
export function AlertRow({ alert, isGone = false }: { alert: Alert; isGone?: boolean }) {
  const say = useWords();
  const mayTake = useRole() !== 'viewer';
  const link = useRef<HTMLAnchorElement>(null);
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const { id, kind, chatId, contactName, sector, owner, since, dueAt, raisedAt, acknowledgedAt, acknowledgedBy } =
    alert;
  const sectorName = useSectorName();
  const now = useNow();
  // Whom to ask stands first: a narrow panel cuts the end.
  const about = [agentName(say, owner), say(`alert_${kind}`), sectorName(sector)].join(' · ');
  // What an empty place held may name somebody who was erased since.
  const who = isGone ? BLANK : contactTitle(say, { contactName, contactPhone: openChats.find(chatId)?.contactPhone });
  useLayoutEffect(() => {
    const row = link.current?.parentElement;
    const list = listAround(link.current);
    const leave = () => {
      if (row?.contains(document.activeElement)) list?.focus();
    };
    // Whoever took it on from an opened group is not sent to the top of the page, where the row goes to another group.
    if (isGone) leave();
    return leave;
  }, [isGone]);
  async function acknowledge() {
    const list = listAround(link.current);
    setBusy(true);
    setFailure(null);
    try {
      alerts.take((await hub.send('POST', `${PATH}/${encodeURIComponent(id)}/acknowledge`)).alert);
      // The button goes, and with it would the place of whoever works with keys. An update may have taken the row away before.
      link.current?.focus();
      if (document.activeElement === document.body) list?.focus();
    } catch (error) {
      setFailure(reasonOf(error));
    }
    setBusy(false);
  }
  return (
    <li
      className="alert"
      data-kind={kind}
      data-gone={isGone || undefined}
      data-urgency={URGENT[kind] ? 'late' : 'attention'}
      data-taken={acknowledgedAt !== null || undefined}
      data-new={(acknowledgedAt === null && isNewAlert(raisedAt, now)) || undefined}
    >
      <Link
        ref={link}
        className="main"
        to={`/chats/${encodeURIComponent(chatId)}`}
        title={[`${who} · ${about}`, agentTitle(say, owner)].filter(Boolean).join('\n')}
      >
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

function listAround(part: HTMLElement | null): HTMLElement | null {
  return part?.closest<HTMLElement>('.scroll') ?? null;
}
