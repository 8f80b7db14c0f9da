import { Alert, Button } from '@mantine/core';
import { Link } from 'react-router';

import { useNow } from '../hub/clock.ts';
import { reasonOf } from '../hub/errors.ts';
import { backup, hubState, useHub } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { age, fullMoment } from '../words/format.ts';
import { named, useWords } from '../words/words.ts';
import { useWall } from './wall.ts';

/** What must not be overlooked: that the hub cannot store, that it is behind, or that this screen is not current. */
export function Banners() {
  const say = useWords();
  const banner = useBanner();
  return banner && <section aria-label={say('notice')}>{banner}</section>;
}

function useBanner() {
  const say = useWords();
  const { connectionStatus, client, error } = useHub();
  const state = useStore(hubState);
  const isAdmin = useRole() === 'admin';
  const { isWall } = useWall();
  if (connectionStatus === 'disconnected' && error) {
    return (
      <Alert className="banner" role="alert" color="red" variant="light">
        {say('disconnectedBanner', { reason: reasonOf(error) })}{' '}
        <Button size="compact-sm" variant="default" onClick={() => void client.connect().catch(() => {})}>
          {say('reload')}
        </Button>
      </Alert>
    );
  }
  if (connectionStatus === 'stale') return <Stale />;
  if (state.status === 'unwritable') {
    const reason = named(say, state.reason ?? 'other');
    return (
      <Alert className="banner" role="alert" color="red" variant="light">
        {say('unwritable', { reason, since: state.since === null ? '–' : fullMoment(state.since) })}
      </Alert>
    );
  }
  if (state.status === 'behind')
    return (
      <Alert className="banner" role="alert" color="orange" variant="light">
        {say('behindBanner', { since: state.since === null ? '–' : fullMoment(state.since) })}
      </Alert>
    );
  if (state.status === 'draining')
    return (
      <Alert className="banner" role="alert" color="orange" variant="light">
        {say('draining')}
      </Alert>
    );
  return isAdmin && !isWall && <BackupNotice />;
}

/** That what the hub stored would be lost with its machine. Whoever runs the hub can do something about it. */
function BackupNotice() {
  const say = useWords();
  const { backup: state, backupTakenAt, backupCoveredUntil } = useStore(backup);
  if (state !== 'old' && state !== 'behind') return null;
  const text =
    state === 'behind' && backupCoveredUntil
      ? say('backupBehindBanner', { at: fullMoment(backupCoveredUntil) })
      : backupTakenAt
        ? say('backupOldBanner', { at: fullMoment(backupTakenAt) })
        : say('backupNoneBanner');
  return (
    <Alert className="banner" role="alert" color="orange" variant="light">
      {text} <Link to="/status">{say('seeStatus')}</Link>
    </Alert>
  );
}

function Stale() {
  const say = useWords();
  const { client } = useHub();
  useNow();
  // Read out once: the age ticks.
  return (
    <Alert className="banner" color="orange" variant="light" role="note">
      {say('staleBanner', { age: age(client.dataAge() ?? 0) })}
    </Alert>
  );
}
