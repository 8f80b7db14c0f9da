import { Button, TextInput } from '@mantine/core';
import { useState, type FormEvent } from 'react';

import { problemsOf, reasonOf } from '../hub/errors.ts';
import { hub } from '../hub/hub.tsx';
import { PATH, type ListedMember } from '../hub/members.ts';
import { Avatar } from '../parts/Avatar.tsx';
import { Dialog } from '../parts/Dialog.tsx';
import { useWords } from '../words/words.ts';
import { SectorField } from './SectorField.tsx';

/** One entry. It is saved whole, and told to every screen. */
export function MemberDialog({ member, close }: { member: ListedMember; close: () => void }) {
  const say = useWords();
  const [id, setId] = useState(member.id);
  const [name, setName] = useState(member.name ?? '');
  const [photo, setPhoto] = useState(member.photoUrl ?? '');
  const [sector, setSector] = useState(member.sectorId ?? '');
  const [busy, setBusy] = useState(false);
  const [sure, setSure] = useState(false);
  const [refusal, setRefusal] = useState<unknown>(null);
  const problems = problemsOf(refusal);
  const wrong = (field: string) => problems.get(field);

  async function ask(change: () => Promise<unknown>) {
    setBusy(true);
    setRefusal(null);
    try {
      await change();
      close();
    } catch (error) {
      setRefusal(error);
      setBusy(false);
    }
  }

  const path = () => `${PATH}/${encodeURIComponent(id.trim())}`;
  function save(event: FormEvent) {
    event.preventDefault();
    void ask(() =>
      hub.send('PUT', path(), { name: name.trim(), photoUrl: photo.trim() || null, sectorId: sector.trim() || null }),
    );
  }

  return (
    <Dialog title={say(member.id === '' ? 'newAgent' : 'editAgent')} close={close}>
      <form onSubmit={save} className="form">
        {member.id === '' ? (
          <TextInput
            label={say('agentIdLabel')}
            description={say('agentIdHint')}
            value={id}
            onChange={(event) => setId(event.currentTarget.value)}
            required
            withAsterisk={false}
            error={wrong('id')}
            autoComplete="off"
            spellCheck={false}
          />
        ) : (
          <p className="quiet">
            {say('agentIdLabel')}: <code>{member.id}</code>
          </p>
        )}
        <TextInput
          label={say('name')}
          value={name}
          onChange={(event) => setName(event.currentTarget.value)}
          required
          withAsterisk={false}
          error={wrong('name')}
          autoComplete="off"
          data-autofocus
          autoFocus={member.id !== ''}
        />
        <div className="photo">
          <TextInput
            label={say('photo')}
            description={say('photoHint')}
            type="url"
            value={photo}
            onChange={(event) => setPhoto(event.currentTarget.value)}
            error={wrong('photoUrl')}
            autoComplete="off"
            spellCheck={false}
          />
          <Avatar name={name || null} picture={photo.trim() || null} />
        </div>
        <SectorField
          label={say('sector')}
          value={sector}
          change={setSector}
          none={say('noSector')}
          error={wrong('sectorId')}
        />
        {refusal !== null && (
          <p role="alert" className="refusal">
            {say('refused', { reason: reasonOf(refusal) })}
          </p>
        )}
        <footer>
          {member.known &&
            (sure ? (
              <Button
                color="red"
                variant="light"
                disabled={busy}
                onClick={() => void ask(() => hub.send('DELETE', path()))}
              >
                {say('removeSure')}
              </Button>
            ) : (
              <Button color="gray" variant="subtle" disabled={busy} onClick={() => setSure(true)}>
                {say('remove')}
              </Button>
            ))}
          <Button type="submit" loading={busy}>
            {say('save')}
          </Button>
        </footer>
      </form>
    </Dialog>
  );
}
