import { Button, NativeSelect, TextInput } from '@mantine/core';
import type { GivenName } from 'umbler-hub-client';
import { useState, type FormEvent } from 'react';

import { problemsOf, reasonOf } from '../hub/errors.ts';
import { PATH } from '../hub/given-names.ts';
import { givenNames, hub } from '../hub/hub.tsx';
import { useRole } from '../hub/role.ts';
import { useStore } from '../hub/store.ts';
import { Dialog } from '../parts/Dialog.tsx';
import { number } from '../words/format.ts';
import { useWords } from '../words/words.ts';

const KINDS = ['sector', 'channel', 'tag'] as const;
const NAME_CHARS_MAX = 200;

/** What sectors, lines and tags are called. Umbler names them, and an admin may name them otherwise. */
export function Names() {
  const say = useWords();
  const isAdmin = useRole() === 'admin';
  const given = useStore(givenNames);
  const [what, setWhat] = useState<GivenName['what']>('sector');
  const [edited, setEdited] = useState<GivenName | null>(null);
  const names = [...given.values()]
    .filter((name) => name.what === what)
    .sort((a, b) => (a.name ?? '').localeCompare(b.name ?? '') || a.id.localeCompare(b.id));
  return (
    <section className="card directory" aria-labelledby="names-title">
      <header>
        <h2 id="names-title">{say('names')}</h2>
      </header>
      <p className="quiet">
        {say('namesHint')}
        {!isAdmin && ` ${say('adminsOnly')}`}
      </p>
      <div className="narrow">
        <NativeSelect
          size="sm"
          aria-label={say('namesOf')}
          value={what}
          onChange={(event) => setWhat(event.currentTarget.value as GivenName['what'])}
          data={KINDS.map((kind) => ({ value: kind, label: say(`namesOf_${kind}`) }))}
        />
      </div>
      <p className="count quiet" role="status">
        {say('nameCount', { count: number(names.length) })}
      </p>
      {names.length === 0 ? (
        <p className="blank">{say('noNames')}</p>
      ) : (
        <table className="people">
          <thead>
            <tr>
              <th scope="col">{say('name')}</th>
              <th scope="col">{say('namedBy')}</th>
              {isAdmin && (
                <th scope="col">
                  <span className="hidden">{say('edit')}</span>
                </th>
              )}
            </tr>
          </thead>
          <tbody>
            {names.map((name) => (
              <tr key={name.id}>
                <th scope="row">
                  <span className="main">
                    <span className="name">{name.name ?? <span className="quiet">{say('withoutName')}</span>}</span>
                    <code className="quiet small">{name.id}</code>
                  </span>
                </th>
                <td>{name.origin === null ? '–' : say(`namedBy_${name.origin}`)}</td>
                {isAdmin && (
                  <td>
                    <Button
                      size="compact-sm"
                      variant="default"
                      onClick={() => setEdited(name)}
                      aria-label={`${say('edit')}: ${name.name ?? name.id}`}
                    >
                      {say(name.name === null ? 'giveName' : 'edit')}
                    </Button>
                  </td>
                )}
              </tr>
            ))}
          </tbody>
        </table>
      )}
      {edited !== null && <NameDialog given={edited} close={() => setEdited(null)} />}
    </section>
  );
}

/** Saved at once, and told to every screen. */
function NameDialog({ given: { what, id, name: known, origin }, close }: { given: GivenName; close: () => void }) {
  const say = useWords();
  const [name, setName] = useState(known ?? '');
  const [busy, setBusy] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const wrongName = problemsOf(refusal).get('name');
  async function put(given: string | null) {
    setBusy(true);
    setRefusal(null);
    try {
      await hub.send('PUT', PATH, { what, id, name: given });
      close();
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  }
  const save = (event: FormEvent) => {
    event.preventDefault();
    void put(name.trim());
  };
  return (
    <Dialog title={say('editName')} close={close}>
      <form onSubmit={save} className="form">
        <p className="quiet">
          {say(`nameOf_${what}`)}: <code>{id}</code>
        </p>
        <TextInput
          label={say('name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          maxLength={NAME_CHARS_MAX}
          required
          withAsterisk={false}
          error={wrongName}
          autoComplete="off"
          data-autofocus
        />
        {refusal !== null && wrongName === undefined && (
          <p role="alert" className="refusal">
            {say('refused', { reason: reasonOf(refusal) })}
          </p>
        )}
        <footer>
          {origin === 'admin' && (
            <Button color="gray" variant="subtle" disabled={busy} onClick={() => void put(null)}>
              {say('nameOfUmbler')}
            </Button>
          )}
          <Button type="submit" loading={busy}>
            {say('save')}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
