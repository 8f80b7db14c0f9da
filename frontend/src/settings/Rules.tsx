import { Alert, Button, Skeleton } from '@mantine/core';
import type { HubSettings } from 'umbler-hub-client';
import { useState, type FormEvent } from 'react';

import { codeOf, reasonOf } from '../hub/errors.ts';
import { hub, settings } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { PATH } from '../hub/settings.ts';
import { useStore } from '../hub/store.ts';
import { Missing } from '../parts/Missing.tsx';
import { Failure } from '../parts/Notice.tsx';
import { fullMoment } from '../words/format.ts';
import { useWords } from '../words/words.ts';
import { bodyOf, draftOf, problemsOf, type Draft } from './draft.ts';
import { Holidays, Hours } from './Hours.tsx';
import { ThresholdForm } from './ThresholdForm.tsx';

/** Thresholds, business hours and holidays: one form, saved whole. */
export function Rules() {
  const say = useWords();
  const known = useStore(settings);
  if (known.missing) return <section className="card"><Missing /></section>;
  if (known.settings === null) {
    if (known.failure !== null) return <Failure reason={known.failure} again={() => void settings.read()} />;
    return <div role="status" aria-label={say('loading')} aria-busy="true"><Skeleton height={220} className="bone" /><Skeleton height={220} /></div>;
  }
  return <Form saved={known.settings} seq={known.seq} />;
}

interface FormProps {
  saved: HubSettings;
  seq: number | null;
}

function Form({ saved, seq }: FormProps) {
  const say = useWords();
  const { updatedAt, updatedBy } = useStore(settings);
  const isAdmin = useRole() === 'admin';
  const [draft, setDraft] = useState(() => draftOf(saved));
  /** The position of what the draft began with. */
  const [base, setBase] = useState(seq);
  const [touched, setTouched] = useState(false);
  const [busy, setBusy] = useState(false);
  const [done, setDone] = useState(false);
  const [refusal, setRefusal] = useState<string | null>(null);
  const problems = refusal === null ? new Map<string, string>() : problemsOf(refusal);

  function begin(from: HubSettings, at: number | null) {
    setDraft(draftOf(from));
    setBase(at);
    setTouched(false);
    setRefusal(null);
  }
  // Somebody else saved: taken over, unless something here would be lost.
  if (base !== seq && !touched) begin(saved, seq);
  const change = (changed: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...changed }));
    setTouched(true);
    setDone(false);
  };

  async function save(event: FormEvent) {
    event.preventDefault();
    setBusy(true);
    setRefusal(null);
    try {
      const answer = await hub.send('PUT', PATH, bodyOf(draft));
      settings.take(answer);
      begin(answer.settings, answer.seq);
      setDone(true);
    } catch (error) {
      setRefusal(codeOf(error) === 'unreachable' ? say('unreachable') : reasonOf(error));
    }
    setBusy(false);
  }

  return (
    <form onSubmit={save} className="rules">
      {!isAdmin && <p className="notice quiet">{say('adminsOnlyRules')}</p>}
      <fieldset disabled={!isAdmin} className="whole">
        <ThresholdForm draft={draft} change={change} problems={problems} />
        <div className="columns even">
          <Hours draft={draft} change={change} problems={problems} zone={saved.timeZone} />
          <Holidays draft={draft} change={change} problems={problems} />
        </div>
      </fieldset>
      {base !== seq && touched && (
        <Alert className="notice" role="alert" variant="light" color="orange">
          {say('savedMeanwhile', { name: updatedBy?.name ?? updatedBy?.id ?? '–' })}{' '}
          <Button size="compact-sm" variant="default" onClick={() => begin(saved, seq)}>{say('takeTheirs')}</Button>
        </Alert>
      )}
      {refusal !== null && <p role="alert" className="refusal">{say('refused', { reason: refusal })}</p>}
      <footer className="save">
        <p className="quiet" role="status">{done ? say('saved') : updatedAt === null ? say('neverSaved') : say('savedBy', { name: updatedBy?.name ?? updatedBy?.id ?? '–', at: fullMoment(updatedAt) })}</p>
        {isAdmin && touched && <Button variant="subtle" color="gray" onClick={() => begin(saved, seq)}>{say('discard')}</Button>}
        {isAdmin && <Button type="submit" loading={busy} disabled={!touched && updatedAt !== null}>{say('save')}</Button>}
      </footer>
    </form>
  );
}
