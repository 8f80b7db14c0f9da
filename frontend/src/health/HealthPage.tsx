import { Skeleton } from '@mantine/core';
import { useState } from 'react';

import { useNow } from '../hub/clock.ts';
import { useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { Tile } from '../live/Tiles.tsx';
import { Failure } from '../parts/Notice.tsx';
import { faultInWords } from '../words/faults.ts';
import { age, clock, clockMinute, fullMoment, moment, number, percent } from '../words/format.ts';
import { named, useWords } from '../words/words.ts';
import { type Fact, Facts } from './Facts.tsx';
import { RawDelivery } from './RawDelivery.tsx';
import { ByMinute } from './ByMinute.tsx';
import { ClusterCard } from './ClusterCard.tsx';
import { LinkCard } from './LinkCard.tsx';
import { QUEUED_MANY, Way } from './Way.tsx';
import { lastMinuteOf, useVitals, type Vitals, type WebhookStatus } from './vitals.ts';
import './health.css';

/** Whether deliveries come, are understood and are stored. */
export default function HealthPage() {
  const say = useWords();
  const { store, failure, again } = useVitals();
  const vitals = useStore(store);
  return (
    <div className="page health">
      <header className="title">
        <h1>{say('status')}</h1>
        {vitals && <ReadAgo at={vitals.readAt} />}
      </header>
      {failure !== null && <Failure reason={failure} again={again} />}
      {vitals === null && failure === null && (
        <div role="status" aria-busy="true" aria-label={say('loading')}>
          <Skeleton height={110} className="bone" />
          <Skeleton height={240} />
        </div>
      )}
      {vitals && (
        <>
          <Way vitals={vitals} />
          <ClusterCard health={vitals.health} />
          <DeliveryTiles vitals={vitals} />
          <ByMinute vitals={vitals} />
          <div className="columns even">
            <ByType status={vitals.webhook} />
            <div className="side">
              <HubCard vitals={vitals} />
              <LinkCard />
            </div>
          </div>
          <Recent status={vitals.webhook} />
        </>
      )}
    </div>
  );
}

function ReadAgo({ at }: { at: number }) {
  const say = useWords();
  return <p className="quiet">{say('readAgo', { age: age(useNow() - at) })}</p>;
}

function DeliveryTiles({ vitals }: { vitals: Vitals }) {
  const say = useWords();
  const now = useNow();
  const { lastDeliveryAt, accepted, duplicates, undecodable, ignored } = vitals.webhook;
  const all = accepted + duplicates + ignored;
  return (
    <section aria-label={say('deliveries')}>
      <dl className="tiles">
        <Tile
          name="silence"
          title={say('silence')}
          value={lastDeliveryAt === null ? '–' : clock(now - Date.parse(lastDeliveryAt))}
        >
          {say(lastDeliveryAt === null ? 'noDeliveries' : 'silenceHint')}
        </Tile>
        <RateTile vitals={vitals} />
        <Tile name="accepted" title={say('accepted')} value={number(accepted)}>
          {say('acceptedHint', { percent: percent(accepted, all) })}
        </Tile>
        <Tile name="duplicates" title={say('duplicates')} value={number(duplicates)}>
          {say('duplicatesHint', { percent: percent(duplicates, all) })}
        </Tile>
        <Tile
          name="undecodable"
          title={say('undecodable')}
          value={number(undecodable)}
          urgency={undecodable > 0 ? 'attention' : undefined}
        >
          {say('undecodableHint', { percent: percent(undecodable, accepted) })}
        </Tile>
        <Tile
          name="ignored"
          title={say('ignored')}
          value={number(ignored)}
          urgency={ignored > 0 ? 'attention' : undefined}
        >
          {say('ignoredHint')}
        </Tile>
      </dl>
    </section>
  );
}

/** How many come now. Until that is measured, what the hub itself has counted. */
function RateTile({ vitals: { webhook, readAt, rate } }: { vitals: Vitals }) {
  const say = useWords();
  const { at, taken, isOver } = lastMinuteOf(webhook, readAt);
  return (
    <Tile name="rate" title={say('perMinute')} value={number(Math.round(rate?.perMinute ?? taken))}>
      {rate === null
        ? say(isOver ? 'perMinuteCounted' : 'perMinuteSoFar', { time: clockMinute(at) })
        : say('perMinuteHint', { age: age(rate.overMs) })}
    </Tile>
  );
}

function HubCard({ vitals: { health, readAt } }: { vitals: Vitals }) {
  const say = useWords();
  const now = useNow();
  const states = {
    ok: say('ok'),
    unwritable: say('unwritableWord'),
    behind: say('behindWord'),
    draining: say('drainingWord'),
  };
  const integrity = { checking: say('checking'), ok: say('intact') }[health.integrity] ?? say('damagedWord');
  const keys = health.signInKeys === 'ok';
  const rows: Fact[] = [
    [say('state'), states[health.status], health.status !== 'ok'],
    ...(health.fault ? [[say('reason'), named(say, health.reason ?? null), true, health.fault] as Fact] : []),
    [say('integrity'), integrity, health.integrity.startsWith('damaged'), health.integrity],
    ...(health.signInKeys
      ? [[say('keys'), say(keys ? 'keysRead' : 'keysStale'), !keys, health.signInKeys] as Fact]
      : []),
    ...(health.backup
      ? [[say('backup'), say(`backup_${health.backup}`), ['old', 'behind'].includes(health.backup)] as Fact]
      : []),
    ...(health.backupTakenAt
      ? [[say('backupTakenAt'), fullMoment(health.backupTakenAt), health.backup === 'old'] as Fact]
      : []),
    ...(health.backupCoveredUntil
      ? [[say('backupCoveredUntil'), fullMoment(health.backupCoveredUntil), health.backup === 'behind'] as Fact]
      : []),
    [say('umblerLink'), say(`link_${health.link}`), !['off', 'starting', 'ok'].includes(health.link)],
    ...(health.completeUntil ? [[say('completeUntil'), fullMoment(health.completeUntil), false] as Fact] : []),
    [say('sessions'), number(health.sessions), false],
    [say('queued'), number(health.queued), health.queued > QUEUED_MANY],
    [say('position'), number(health.seq), false, undefined, say('positionHint')],
    [say('uptime'), clock(health.uptimeSeconds * 1000 + now - readAt), false],
    [say('version'), health.version, false],
  ];
  return (
    <section className="card">
      <h2>{say('hub')}</h2>
      <Facts rows={rows} />
    </section>
  );
}

function ByType({ status: { counts } }: { status: WebhookStatus }) {
  const say = useWords();
  const most = Math.max(1, ...counts.map(({ count }) => count));
  return (
    <section className="card">
      <h2>{say('byType')}</h2>
      {counts.length === 0 ? (
        <p className="blank">{say('noDeliveries')}</p>
      ) : (
        <table>
          <thead>
            <tr>
              <th scope="col">{say('type')}</th>
              <th scope="col">{say('howMany')}</th>
              <th scope="col">{say('last')}</th>
            </tr>
          </thead>
          <tbody>
            {counts.map(({ type, outcome, count, lastAt }) => (
              <tr key={`${type} ${outcome}`} data-outcome={outcome}>
                <th scope="row">
                  {type}{' '}
                  <em
                    className="chip"
                    data-urgency={outcome === 'accepted' || outcome === 'duplicate' ? undefined : 'attention'}
                  >
                    {say(`o_${outcome}`)}
                  </em>
                  <meter className="bar" min={0} max={most} value={count} aria-hidden="true" />
                </th>
                <td>{number(count)}</td>
                <td>
                  <time dateTime={lastAt} title={fullMoment(lastAt)}>
                    {moment(lastAt)}
                  </time>
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
}

/** The reasons of what was not understood or had to be ignored. */
function Recent({ status: { recentUndecodable, recentIgnored, undecodable, ignored } }: { status: WebhookStatus }) {
  const say = useWords();
  const rows = [
    ...recentUndecodable.map((each) => ({ ...each, key: `${each.seq}` })),
    ...recentIgnored.map((each, index) => ({ ...each, seq: null, type: say('ignored'), key: `i${index}` })),
  ].sort((a, b) => Date.parse(b.receivedAt) - Date.parse(a.receivedAt));
  const isAdmin = useRole() === 'admin';
  const [shown, setShown] = useState<number | null>(null);
  const isLimited = rows.length === 0 && undecodable + ignored > 0;
  return (
    <section className="card">
      <h2>{say('recent')}</h2>
      {shown !== null && <RawDelivery seq={shown} close={() => setShown(null)} />}
      {rows.length === 0 ? (
        <p className="blank">{isLimited ? say('limitedHint') : say('noneUndecodable')}</p>
      ) : (
        <div className="wide" tabIndex={0} role="group" aria-label={say('recent')}>
          <table className="reasons">
            <thead>
              <tr>
                <th scope="col">{say('type')}</th>
                <th scope="col">{say('reason')}</th>
                <th scope="col">{say('received')}</th>
              </tr>
            </thead>
            <tbody>
              {rows.map(({ key, seq, type, reason, receivedAt }) => (
                <tr key={key}>
                  <th scope="row">{type}</th>
                  <td>
                    {faultInWords(reason) ?? say('notUnderstood')}{' '}
                    {isAdmin && seq !== null && (
                      <button type="button" className="number" onClick={() => setShown(seq)}>
                        {say('showRaw')}
                      </button>
                    )}
                  </td>
                  <td>
                    <time dateTime={receivedAt}>{fullMoment(receivedAt)}</time>
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
