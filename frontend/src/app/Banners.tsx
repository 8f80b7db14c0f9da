import { Alert, Button } from '@mantine/core';

import { useNow } from '../hub/clock.ts';
import { hubState, useHub } from '../hub/hub.tsx';
import { useStore } from '../hub/store.ts';
import { age, fullMoment } from '../words/format.ts';
import { named, useWords } from '../words/words.ts';

/** What must not be overlooked: that the hub cannot store, or that this screen is not current. */
export function Banners() {
  const say = useWords();
  const banner = useBanner();
  return banner && <section aria-label={say('notice')}>{banner}</section>;
}

function useBanner() {
  const say = useWords();
  const { connectionStatus, client, error } = useHub();
  const state = useStore(hubState);
  if (connectionStatus === 'disconnected' && error) {
    return (
      <Alert className="banner" role="alert" color="red" variant="light">
        {say('disconnectedBanner', { reason: error.message })}{' '}
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
  if (state.status === 'draining')
    return (
      <Alert className="banner" role="alert" color="orange" variant="light">
        {say('draining')}
      </Alert>
    );
  return null;
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
