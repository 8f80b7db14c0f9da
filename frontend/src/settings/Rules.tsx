import { Button, Skeleton, TextInput } from '@mantine/core';
import type { HubSettings } from 'umbler-hub-client';
import { useState, type FormEvent } from 'react';

import { codeOf, problemsOf, reasonOf } from '../hub/errors.ts';
import { hub, settings } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { PATH } from '../hub/settings.ts';
import { useStore } from '../hub/store.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { Missing } from '../parts/Missing.tsx';
import { Failure } from '../parts/Notice.tsx';
import { fullMoment } from '../words/format.ts';
import { isAnonymous, userName } from '../words/people.ts';
import { useWords } from '../words/words.ts';
import { DailyReport } from './DailyReport.tsx';
import { bodyOf, draftOf, type Draft } from './draft.ts';
import { Effect } from './Effect.tsx';
import { Holidays, Hours } from './Hours.tsx';
import { ThresholdForm } from './ThresholdForm.tsx';
import { useRising } from './useRising.ts';

/** Thresholds, business hours and holidays: one form, saved whole. */
export default function Rules() {
  const say = useWords();
  const known = useStore(settings);
  if (known.missing)
    return (
      <section className="card">
        <Missing />
      </section>
    );
  if (known.settings === null) {
    if (known.failure !== null) return <Failure reason={known.failure} again={() => void settings.read()} />;
    return (
      <div role="status" aria-label={say('loading')} aria-busy="true">
        <Skeleton height={220} className="bone" />
        <Skeleton height={220} />
      </div>
    );
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
  const [refused, setRefused] = useState<unknown>(null);
  /** Somebody else saved meanwhile, and the hub saved nothing. */
  const [conflict, setConflict] = useState(false);
  const problems = problemsOf(refused);
  const { isAtRest, fields } = useRising({ touched, busy, refused, isSaved: updatedAt !== null || !isAdmin });

  function begin(from: HubSettings, at: number | null) {
    setDraft(draftOf(from));
    setBase(at);
    setTouched(false);
    setRefused(null);
  }
  // Somebody else saved: taken over, unless something here would be lost.
  if (base !== seq && !touched) begin(saved, seq);
  const change = (changed: Partial<Draft>) => {
    setDraft((before) => ({ ...before, ...changed }));
    setTouched(true);
    setDone(false);
  };

  /** Over what the draft was made from, or over what somebody else has saved since. */
  async function save(over: number | null) {
    setBusy(true);
    setConflict(false);
    try {
      const answer = await hub.send('PUT', PATH, bodyOf(draft, saved.views ?? []), undefined, {
        ifMatch: `"${over ?? 0}"`,
      });
      settings.take(answer);
      begin(answer.settings, answer.seq);
      setDone(true);
    } catch (error) {
      if (codeOf(error) === 'settings_changed') {
        // Theirs may not have been told here yet.
        await settings.read();
        setRefused(null);
        setConflict(true);
      } else setRefused(error);
    }
    setBusy(false);
  }

  return (
    <form
      onSubmit={(event: FormEvent) => {
        event.preventDefault();
        void save(base);
      }}
      className="rules"
    >
      {/* Who may change nothing finds nothing in it to focus, and has to scroll it all the same. */}
      <div className="fields" ref={fields} tabIndex={0} role="group" aria-label={say('rules')}>
        {!isAdmin && <p className="notice quiet">{say('adminsOnlyRules')}</p>}
        <fieldset disabled={!isAdmin} className="whole">
          <ThresholdForm draft={draft} change={change} problems={problems} />
          <Idle draft={draft} change={change} problems={problems} />
          <div className="columns even">
            <Hours draft={draft} change={change} problems={problems} zone={saved.timeZone} />
            <Holidays draft={draft} change={change} problems={problems} />
          </div>
          <DailyReport draft={draft} change={change} problems={problems} zone={saved.timeZone} />
        </fieldset>
      </div>
      {conflict && (
        <Dialog title={say('conflict')} close={() => setConflict(false)}>
          <p>
            {say('conflictHint', {
              name: userName(say, updatedBy),
              at: updatedAt === null ? '–' : fullMoment(updatedAt),
            })}
          </p>
          <footer className="choose">
            <Button variant="subtle" color="gray" onClick={() => setConflict(false)}>
              {say('goOnEditing')}
            </Button>
            <Button
              variant="default"
              onClick={() => {
                setConflict(false);
                begin(saved, seq);
              }}
            >
              {say('takeTheirs')}
            </Button>
            <Button onClick={() => void save(seq)}>{say('saveOver')}</Button>
          </footer>
        </Dialog>
      )}
      {/* At rest it is one line; it rises over the end of the form, whose height never changes: what moves under the pointer loses the click. */}
      <footer className="save" data-rest={isAtRest || undefined}>
        {/* A long refusal scrolls in its place. */}
        <div className="told" tabIndex={refused === null ? undefined : 0} role="group" aria-label={say('notice')}>
          {base !== seq && touched ? (
            <p role="alert" className="meanwhile">
              {say('savedMeanwhile', { name: userName(say, updatedBy) })}{' '}
              <Button size="compact-xs" variant="default" onClick={() => begin(saved, seq)}>
                {say('takeTheirs')}
              </Button>
            </p>
          ) : refused !== null ? (
            <p role="alert" className="refusal">
              {say('refused', { reason: reasonOf(refused) })}
            </p>
          ) : (
            <p className="quiet" role="status" data-touched={touched || undefined}>
              {touched ? (
                <>
                  {say('unsaved')} <Effect draft={draft} />
                </>
              ) : done ? (
                say('saved')
              ) : (
                <SavedBy />
              )}
            </p>
          )}
        </div>
        {isAdmin && !isAtRest && (
          <Buttons
            touched={touched}
            busy={busy}
            canSave={touched || updatedAt === null}
            discard={() => begin(saved, seq)}
          />
        )}
      </footer>
    </form>
  );
}

function Buttons(props: { touched: boolean; busy: boolean; canSave: boolean; discard: () => void }) {
  const say = useWords();
  return (
    <>
      <Button className="discard" variant="subtle" color="gray" disabled={!props.touched} onClick={props.discard}>
        {say('discard')}
      </Button>
      <Button type="submit" loading={props.busy} disabled={!props.canSave}>
        {say('save')}
      </Button>
    </>
  );
}

function SavedBy() {
  const say = useWords();
  const { updatedAt, updatedBy } = useStore(settings);
  const at = updatedAt === null ? '' : fullMoment(updatedAt);
  const words =
    updatedAt === null
      ? say('neverSaved')
      : isAnonymous(updatedBy)
        ? say('savedAt', { at })
        : say('savedBy', { name: userName(say, updatedBy), at });
  return (
    <span className="by" title={words}>
      {words}
    </span>
  );
}

/** What the hub itself begins with. */
const USUAL_IDLE_MINUTES = 30;

/** From when on a chat in which nobody writes counts as idle. */
function Idle({
  draft: { idleMinutes },
  change,
  problems,
}: {
  draft: Draft;
  change: (change: Partial<Draft>) => void;
  problems: Map<string, string>;
}) {
  const say = useWords();
  return (
    <section className="card" id="set-idle">
      <h2>{say('idleTitle')}</h2>
      <p className="quiet">{say('idleHint')}</p>
      <TextInput
        className="idle"
        size="sm"
        type="number"
        min={1}
        max={1440}
        step={1}
        required
        withAsterisk={false}
        label={say('idleAfter')}
        description={say('usualMinutes', { minutes: USUAL_IDLE_MINUTES })}
        inputWrapperOrder={['label', 'input', 'description', 'error']}
        value={Number.isNaN(idleMinutes) ? '' : idleMinutes}
        error={problems.get('idleMinutes')}
        onChange={(event) => change({ idleMinutes: event.currentTarget.valueAsNumber })}
        rightSection={
          <span className="quiet" aria-hidden="true">
            min
          </span>
        }
      />
    </section>
  );
}
