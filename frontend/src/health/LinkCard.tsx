import { Button, Progress, TextInput } from '@mantine/core';
import { type FormEvent, useState } from 'react';

import { reasonOf } from '../hub/errors.ts';
import { umblerLink as store } from '../hub/hub.tsx';
import type { Link } from '../hub/link.ts';
import { useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { Failure } from '../parts/Notice.tsx';
import { faultInWords } from '../words/faults.ts';
import { fullMoment, number } from '../words/format.ts';
import { type Say, useWords } from '../words/words.ts';
import { type Fact, Facts } from './Facts.tsx';
import { RegisterWebhook } from './RegisterWebhook.tsx';

/** As many as the hub takes. */
const DAYS_MAX = 1825;

/** Up to when everything is known, whether Umbler posts here, and what happened before; an admin has it looked at. */
export function LinkCard() {
  const say = useWords();
  const link = useStore(store);
  if (link === null || link.state === 'off') return null;
  return (
    <section className="card" aria-labelledby="link-title">
      <h2 id="link-title">{say('linkTitle')}</h2>
      <LinkFacts link={link} />
      <RegisterWebhook link={link} />
      <Recheck />
      <h3>{say('backfillTitle')}</h3>
      <BackfillProgress link={link} />
      <BackfillForm />
    </section>
  );
}

/** How the link is, a line for each thing that it looks at. */
export function LinkFacts({ link }: { link: Link }) {
  const say = useWords();
  return <Facts rows={linkRows(say, link)} testId="link" />;
}

function linkRows(say: Say, link: Link): Fact[] {
  const { state, reason, completeUntil, availableFrom, sweep, silence, webhook } = link;
  const rows: Fact[] = [
    [
      say('umblerLink'),
      [say(`link_${state}`), reason && faultInWords(reason)].filter(Boolean).join(': '),
      !['off', 'starting', 'ok'].includes(state),
    ],
  ];
  if (completeUntil) rows.push([say('completeUntil'), fullMoment(completeUntil), false]);
  if (availableFrom) rows.push([say('availableFrom'), fullMoment(availableFrom), false]);
  rows.push([say('lastSweep'), sweep === null ? say('sweepNever') : sweepText(say, sweep), Boolean(sweep?.problem)]);
  if (silence) {
    const { finding, lost } = silence;
    const isBad = finding === 'deliveries_lost' || finding === 'silent_unverified';
    rows.push([say('webhooksCome'), say(`silence_${finding}`, { count: lost }), isBad]);
  }
  rows.push([say('webhookFinding'), webhookText(say, webhook), webhook !== null && isWrong(webhook.finding)]);
  if (webhook && webhook.otherApplications.length > 0)
    rows.push([say('otherApplications'), webhook.otherApplications.join(', '), false]);
  return rows;
}

function sweepText(say: Say, { endedAt, chats, messages, states, problem }: NonNullable<Link['sweep']>): string {
  const found = say('sweepFound', {
    at: fullMoment(endedAt),
    chats: number(chats),
    messages: number(messages),
    states: number(states),
  });
  return problem === null ? found : `${found} · ${faultInWords(problem) ?? say('problemInLog')}`;
}

function isWrong(finding: NonNullable<Link['webhook']>['finding']): boolean {
  return !['ok', 'unknown_address', 'not_allowed'].includes(finding);
}

function webhookText(say: Say, webhook: Link['webhook']): string {
  if (webhook === null) return say('webhookNever');
  const names = (webhook.finding === 'events_missing' ? webhook.eventsMissing : webhook.channelsMissing).join(', ');
  return say(`webhook_${webhook.finding}`, { names });
}

/** Both results stand in the rows above once it is done. */
function Recheck() {
  const say = useWords();
  const isAdmin = useRole() === 'admin';
  const [busy, setBusy] = useState(false);
  const [goesOn, setGoesOn] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  if (!isAdmin) return null;
  const recheck = async () => {
    setBusy(true);
    setFailure(null);
    try {
      setGoesOn(!(await store.recheck()));
    } catch (error) {
      setFailure(reasonOf(error));
    }
    setBusy(false);
  };
  return (
    <>
      <Button variant="default" loading={busy} onClick={() => void recheck()}>
        {say('recheck')}
      </Button>
      <p role="status" className="quiet">
        {busy ? say('rechecking') : goesOn ? say('recheckGoesOn') : ''}
      </p>
      {failure !== null && <Failure reason={failure} />}
    </>
  );
}

export function BackfillProgress({ link: { backfill } }: { link: Link }) {
  const say = useWords();
  if (backfill === null) return <p className="quiet">{say('backfillNone')}</p>;
  const { done, total, days, messages, endedAt, skipped, nextDays, problem } = backfill;
  const values = { done: number(done), total: number(total ?? 0), days, messages: number(messages) };
  const text =
    endedAt !== null
      ? say('backfillEnded', values)
      : total === null
        ? say('backfillCounting', values)
        : say('backfillBar', values);
  return (
    <div data-testid="backfill">
      {endedAt === null && (
        <Progress value={total ? (100 * done) / total : 0} aria-label={say('backfillTitle')} animated />
      )}
      <p>{text}</p>
      {skipped > 0 && <p className="quiet">{say('backfillSkipped', { count: skipped })}</p>}
      {nextDays !== null && <p className="quiet">{say('backfillNext', { days: nextDays })}</p>}
      {problem !== null && <p className="quiet">{faultInWords(problem) ?? say('problemInLog')}</p>}
    </div>
  );
}

export function BackfillForm() {
  const say = useWords();
  const isAdmin = useRole() === 'admin';
  const [days, setDays] = useState('30');
  const [asked, setAsked] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  if (!isAdmin) return null;
  const begin = async (event: FormEvent) => {
    event.preventDefault();
    setFailure(null);
    try {
      await store.backfill(Number(days));
      setAsked(true);
    } catch (error) {
      setFailure(reasonOf(error));
    }
  };
  return (
    <form className="backfill" onSubmit={(event) => void begin(event)}>
      <TextInput
        type="number"
        label={say('backfillDays')}
        min={1}
        max={DAYS_MAX}
        value={days}
        onChange={(event) => setDays(event.currentTarget.value)}
        required
        withAsterisk={false}
      />
      <Button type="submit" variant="default">
        {say('backfillStart')}
      </Button>
      {asked && (
        <p role="status" className="quiet">
          {say('backfillAsked')}
        </p>
      )}
      {failure !== null && <Failure reason={failure} />}
    </form>
  );
}
