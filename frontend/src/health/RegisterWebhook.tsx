import { Button } from '@mantine/core';
import { useState } from 'react';

import { reasonOf } from '../hub/errors.ts';
import { umblerLink as store } from '../hub/hub.tsx';
import type { Link } from '../hub/link.ts';
import { useRole } from '../hub/role.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Failure } from '../parts/Notice.tsx';
import { useWords } from '../words/words.ts';

/** Where lines do not post here, an admin has the hub create a webhook for them, after reading what that may take away. */
export function RegisterWebhook({ link: { webhook } }: { link: Link }) {
  const say = useWords();
  const isAdmin = useRole() === 'admin';
  const [isAsked, setAsked] = useState(false);
  const [lines, setLines] = useState<string[] | null>(null);
  const isLacking = webhook?.finding === 'missing' || webhook?.finding === 'channels_missing';
  if (!isAdmin) return null;
  return (
    <>
      {isLacking && (
        <Button variant="default" onClick={() => setAsked(true)}>
          {say('registerWebhook')}
        </Button>
      )}
      {isAsked && webhook !== null && (
        <Confirm
          webhook={webhook}
          close={() => setAsked(false)}
          done={(created) => {
            setAsked(false);
            setLines(created);
          }}
        />
      )}
      {lines !== null && <p role="status">{say('registered', { names: lines.join(', ') })}</p>}
    </>
  );
}

interface ConfirmProps {
  webhook: NonNullable<Link['webhook']>;
  close: () => void;
  done: (lines: string[]) => void;
}

function Confirm({ webhook: { channelsMissing, otherApplications }, close, done }: ConfirmProps) {
  const say = useWords();
  const [busy, setBusy] = useState(false);
  const [failure, setFailure] = useState<string | null>(null);
  const names = channelsMissing.length > 0 ? channelsMissing.join(', ') : say('registerAllLines');
  const create = async () => {
    setBusy(true);
    setFailure(null);
    try {
      done(await store.register());
    } catch (error) {
      setFailure(reasonOf(error));
      setBusy(false);
    }
  };
  return (
    <Dialog title={say('registerTitle')} close={close}>
      <p>{say('registerHint', { names })}</p>
      <p>
        {otherApplications.length > 0
          ? say('registerTakes', { names: otherApplications.join(', ') })
          : say('registerTakesUnknown')}
      </p>
      {failure !== null && <Failure reason={failure} />}
      <footer>
        <Button variant="default" onClick={close}>
          {say('close')}
        </Button>
        <Button loading={busy} onClick={() => void create()}>
          {say('registerDo')}
        </Button>
      </footer>
    </Dialog>
  );
}
