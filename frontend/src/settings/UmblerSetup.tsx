import { Alert, Button, CopyButton, PasswordInput, Skeleton, TextInput } from '@mantine/core';
import { type FormEvent, type ReactNode, useCallback, useEffect, useState } from 'react';
import { Link as RouteLink } from 'react-router';

import { BackfillForm, BackfillProgress, LinkFacts } from '../health/LinkCard.tsx';
import { RegisterWebhook } from '../health/RegisterWebhook.tsx';
import { reasonOf } from '../hub/errors.ts';
import { hub, umblerLink } from '../hub/hub.tsx';
import { useIsRoleKnown, useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { Failure } from '../parts/Notice.tsx';
import { fullMoment } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { Names } from './Names.tsx';
import { PATH, type Setup, useSetup } from './useSetup.ts';
import './setup.css';

const STEPS = ['address', 'delivery', 'token', 'covered', 'history'] as const;
type Step = (typeof STEPS)[number];

/**
 * How the hub is connected to Umbler, and what Umbler's things are called. Nothing is shown before it is known what the upper part
 * says, so that the lower one does not move.
 */
export default function UmblerPart() {
  const isKnown = useIsRoleKnown();
  const isAdmin = useRole() === 'admin';
  const { setup, failure, again } = useSetup();
  const link = useStore(umblerLink);
  const isLinkKnown = link !== null || umblerLink.failure !== null || setup?.token === null;
  const say = useWords();
  if (!isKnown || (isAdmin && failure === null && !(setup && isLinkKnown)))
    return <Skeleton height={240} className="bone" />;
  return (
    <>
      {!isAdmin && <p className="blank">{say('setupAdmins')}</p>}
      {isAdmin && failure !== null && <Failure reason={failure} again={again} />}
      {isAdmin && failure === null && setup && <UmblerSetup setup={setup} again={again} />}
      <Names />
    </>
  );
}

/** What a new hub needs from Umbler, in five steps. Each may be skipped, and stays here. */
function UmblerSetup({ setup, again }: { setup: Setup; again: () => void }) {
  const say = useWords();
  const link = useStore(umblerLink);
  const [shown, setShown] = useState<Step | null>(null);
  const isDone: Record<Step, boolean> = {
    address: !setup.isEmpty,
    delivery: !setup.isEmpty,
    token: setup.token !== null,
    covered: link?.webhook?.finding === 'ok',
    history: Boolean(link?.backfill?.endedAt),
  };
  const open = shown ?? STEPS.find((step) => !isDone[step]) ?? null;
  const skip = (step: Step) => setShown(STEPS[STEPS.indexOf(step) + 1] ?? null);
  const parts: Record<Step, ReactNode> = {
    address: <Address setup={setup} />,
    delivery: <FirstDelivery setup={setup} />,
    token: <Token setup={setup} again={again} />,
    covered: <Covered />,
    history: link === null || link.state === 'off' ? <p>{say('setupNeedsToken')}</p> : <History />,
  };
  return (
    <section className="card setup" aria-labelledby="setup-title">
      <h2 id="setup-title">{say('setupTitle')}</h2>
      <p className="quiet">{say('setupHint')}</p>
      <ol>
        {STEPS.map((step) => (
          <li key={step} data-step={step} data-done={isDone[step] || undefined}>
            <button type="button" aria-expanded={open === step} onClick={() => setShown(step)}>
              <span aria-hidden="true">{isDone[step] ? '✓' : '○'}</span> {say(`setup_${step}`)}
              {isDone[step] && <span className="hidden"> {say('setupDone')}</span>}
            </button>
            {open === step && (
              <div>
                {parts[step]}
                <Button variant="subtle" onClick={() => skip(step)}>
                  {say(isDone[step] ? 'setupNext' : 'setupSkip')}
                </Button>
              </div>
            )}
          </li>
        ))}
      </ol>
      <RouteLink to="/live">{say('setupLeave')}</RouteLink>
    </section>
  );
}

interface Address {
  url: string | null;
  path: string;
  secret: string | null;
}

/** The address with its secret. The hub shows it until the first delivery has come. */
function Address({ setup }: { setup: Setup }) {
  const say = useWords();
  const [address, setAddress] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  if (!setup.isEmpty) return <p>{say('setupAddressGone')}</p>;
  const show = async () => {
    try {
      const { url, path, secret } = (await hub.send('POST', `${PATH}/webhook`)) as Address;
      const base = url ?? location.origin + path;
      setAddress(secret === null ? base : `${base}?token=${encodeURIComponent(secret)}`);
      setFailure(null);
    } catch (error) {
      setFailure(reasonOf(error));
    }
  };
  return (
    <>
      <p>{say('setupAddressHint')}</p>
      {address === null ? (
        <Button onClick={() => void show()}>{say('setupShowAddress')}</Button>
      ) : (
        <div className="address">
          <TextInput readOnly label={say('setupAddressLabel')} value={address} />
          <CopyButton value={address}>
            {({ copied, copy }) => (
              <Button variant="default" onClick={copy}>
                {say(copied ? 'setupCopied' : 'setupCopy')}
              </Button>
            )}
          </CopyButton>
        </div>
      )}
      {!setup.hasSecret && <Alert color="yellow">{say('setupNoSecret')}</Alert>}
      {failure !== null && <Failure reason={failure} />}
    </>
  );
}

function FirstDelivery({ setup: { lastWebhookAt } }: { setup: Setup }) {
  const say = useWords();
  return (
    <p role="status" data-testid="first-delivery" data-tone={lastWebhookAt === null ? 'none' : 'good'}>
      {lastWebhookAt === null ? say('setupWaiting') : say('setupCame', { at: fullMoment(lastWebhookAt) })}
    </p>
  );
}

/** Tested at once and never shown again. */
function Token({ setup, again }: { setup: Setup; again: () => void }) {
  const say = useWords();
  const [token, setToken] = useState('');
  const [busy, setBusy] = useState(false);
  const [told, setTold] = useState<string | null>(null);
  const [failure, setFailure] = useState<string | null>(null);
  if (setup.token === 'environment') return <p>{say('setupTokenEnvironment')}</p>;
  const save = async (event: FormEvent) => {
    event.preventDefault();
    setBusy(true);
    setFailure(null);
    try {
      const { started } = (await hub.send('PUT', `${PATH}/token`, { token })) as { started: boolean };
      setToken('');
      setTold(say(started ? 'setupTokenStarted' : 'setupTokenReplaced'));
      again();
      void umblerLink.read();
    } catch (error) {
      setFailure(reasonOf(error));
    }
    setBusy(false);
  };
  return (
    <form onSubmit={(event) => void save(event)}>
      <p>{say('setupTokenHint')}</p>
      {setup.token === 'stored' && <p>{say('setupTokenStored')}</p>}
      <PasswordInput
        label={say('setupTokenLabel')}
        value={token}
        onChange={(event) => setToken(event.currentTarget.value)}
        autoComplete="off"
        required
      />
      <Button type="submit" loading={busy} disabled={token.trim() === ''}>
        {say('setupTokenTest')}
      </Button>
      {told !== null && <p role="status">{told}</p>}
      {failure !== null && <Failure reason={failure} />}
    </form>
  );
}

/** What the hub finds out by itself with a token, and what not even that shows. */
function Covered() {
  const say = useWords();
  const link = useStore(umblerLink);
  return (
    <>
      <p>{say('setupCovered')}</p>
      <p>{say('setupNotCovered')}</p>
      {link === null || link.state === 'off' ? (
        <p className="quiet">{say('setupNeedsToken')}</p>
      ) : (
        <>
          <LinkFacts link={link} />
          <RegisterWebhook link={link} />
        </>
      )}
    </>
  );
}

function History() {
  const link = useStore(umblerLink);
  const read = useCallback(() => void umblerLink.read(), []);
  useEffect(() => {
    const timer = setInterval(read, 2000);
    return () => clearInterval(timer);
  }, [read]);
  return (
    <>
      {link && <BackfillProgress link={link} />}
      <BackfillForm />
    </>
  );
}
